"""TlsContext: the client's side of TLS, which resumes the session of the last connection to a host.

Neither asyncio nor aiohttp hands sessions on. With one, a new connection costs neither the server's
certificates nor the check of them (RFC 8446, 2.2).
"""

import ssl
import time
from collections.abc import Callable
from typing import Self, cast

MOST_HOSTS = 32
"""Host names whose last connection is remembered."""

CHECKED_FOR = 3600.0
"""Seconds for which a host's certificate stays checked, however many sessions follow one another: a
server could otherwise go on with one that has expired (RFC 8446, 4.6.1 allows it a week)."""


class TlsContext(ssl.SSLContext):
    """The standard library's default context for clients, but for sessions; trusts nobody at first.

    A session is resumed under the same host name only: it stands for a certificate that was
    checked against that name. OpenSSL does not check it again, and need not, as whoever knows the
    session's secret is the one who proved to hold that certificate's key. A server that refuses a
    session makes a full handshake of it by itself.

    Args:
        clock: seconds, monotonic.

    Attributes:
        clock: the same.
    """

    def __new__(cls, clock: Callable[[], float] = time.monotonic) -> Self:  # noqa: ARG004  # __init__'s
        """In the place of the base's, which wants to know the protocol."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        # As ssl.create_default_context does.
        self.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
        self.sslobject_class = _Connection
        self._last: dict[str | bytes | None, _Connection] = {}

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """A connection that offers the session of the last one to this host, if that is fresh."""
        last = self._last.get(server_hostname)
        if last is None or self.clock() >= last.checked + CHECKED_FOR:
            return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        # Asked for only now: with TLS 1.3 the session comes some time after the handshake.
        connection = super().wrap_bio(
            incoming, outgoing, server_side, server_hostname, session or last.session
        )
        cast("_Connection", connection).checked = last.checked
        return connection

    def remember(self, connection: "_Connection") -> None:
        """Keep a connection, whose handshake is done, for the sake of its session."""
        host = connection.server_hostname
        self._last.pop(host, None)
        self._last[host] = connection
        if len(self._last) > MOST_HOSTS:
            del self._last[next(iter(self._last))]


class _Connection(ssl.SSLObject):
    """One connection.

    Attributes:
        checked: when the host's certificate was checked (seconds, by the context's clock).
    """

    checked = 0.0

    def do_handshake(self) -> None:
        super().do_handshake()  # raises until it is done, and when it fails
        context = cast("TlsContext", self.context)
        if not self.session_reused:
            self.checked = context.clock()
        context.remember(self)
