"""TlsContext: a TLS client context that remembers and resumes one session for each host.

Neither asyncio nor aiohttp resumes sessions. With a resumed session, a new connection needs no
transfer and verification of the server's certificates (RFC 8446, 2.2).
"""

import ssl
import time
from collections.abc import Callable
from typing import Self, cast

MAX_HOSTS = 32
"""The number of host names whose last connection is remembered."""

MAX_VERIFICATION_AGE_SECONDS = 3600.0
"""The age from which a full handshake verifies the host's certificate again. Otherwise sessions
could be resumed after the certificate has expired (RFC 8446, 4.6.1 allows a week)."""


class TlsContext(ssl.SSLContext):
    """A context like the standard library's default for clients, plus session resumption.

    The caller loads the trusted certificates. A session is resumed only for the same host name,
    because the certificate was verified for that name. OpenSSL does not verify the certificate
    again and need not: only the owner of the certificate's key knows the session's secret. A server
    that refuses a session falls back to a full handshake by itself.

    Args:
        clock: returns monotonic time in seconds.

    Attributes:
        clock: as in the arguments.
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
        """A connection that offers the session of the host's last connection, if it is recent."""
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
        """Remember a connection whose handshake is complete, for the sake of its session."""
        host = connection.server_hostname
        self._last.pop(host, None)
        self._last[host] = connection
        if len(self._last) > MAX_HOSTS:
            del self._last[next(iter(self._last))]


class _ResumableConnection(ssl.SSLObject):
    """One TLS connection.

    Attributes:
        verified_at: when the host's certificate was verified, in seconds of the context's clock.
    """

    verified_at = 0.0

    def do_handshake(self) -> None:
        super().do_handshake()  # raises until it is complete, and when it fails
        context = cast("TlsContext", self.context)
        if not self.session_reused:
            self.verified_at = context.clock()
        context.remember(self)
