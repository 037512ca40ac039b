"""TlsContext: a TLS client context that resumes sessions, one for each host.

Neither asyncio nor aiohttp does. A resumed session spares a new connection the transfer and the
verification of the server's certificates (RFC 8446, 2.2).
"""

import ssl
import time
from collections.abc import Callable
from typing import Self, cast

MAX_HOSTS = 32
"""Host names whose last connection is remembered."""

MAX_VERIFICATION_AGE_SECONDS = 3600.0
"""After that a full handshake verifies the host's certificate again. Otherwise a server could keep
resuming after its certificate has expired (RFC 8446, 4.6.1 allows a week)."""


class TlsContext(ssl.SSLContext):
    """The standard library's default client context plus session resumption; trusts nobody yet.

    A session is resumed for the same host name only: it stands for a certificate that was verified
    against that name. OpenSSL does not verify it again and need not: only the owner of that
    certificate's key knows the session's secret. A server that refuses a session falls back to a
    full handshake by itself.

    Args:
        clock: seconds, monotonic.

    Attributes:
        clock: the same.
    """

    def __new__(cls, clock: Callable[[], float] = time.monotonic) -> Self:  # noqa: ARG004  # __init__'s
        """The base class's `__new__` takes the protocol as its argument."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        # As ssl.create_default_context does.
        self.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
        self.sslobject_class = _ResumableConnection
        self._last: dict[str | bytes | None, _ResumableConnection] = {}

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """A connection that offers the session of the last one to this host, if it is recent."""
        last = self._last.get(server_hostname)
        if last is None or self.clock() >= last.verified_at + MAX_VERIFICATION_AGE_SECONDS:
            return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        # Read only now: with TLS 1.3 the session arrives some time after the handshake.
        connection = super().wrap_bio(
            incoming, outgoing, server_side, server_hostname, session or last.session
        )
        cast("_ResumableConnection", connection).verified_at = last.verified_at
        return connection

    def remember(self, connection: "_ResumableConnection") -> None:
        """Keep a connection whose handshake is complete, for its session."""
        host = connection.server_hostname
        self._last.pop(host, None)
        self._last[host] = connection
        if len(self._last) > MAX_HOSTS:
            del self._last[next(iter(self._last))]


class _ResumableConnection(ssl.SSLObject):
    """One connection.

    Attributes:
        verified_at: when the host's certificate was verified (seconds, by the context's clock).
    """

    verified_at = 0.0

    def do_handshake(self) -> None:
        super().do_handshake()  # raises until it is complete, and when it fails
        context = cast("TlsContext", self.context)
        if not self.session_reused:
            self.verified_at = context.clock()
        context.remember(self)
