"""HttpPool: the process's HTTP client, with a pool of connections.

HttpConnection is one HTTP/1.1 connection, with one request on it at a time (RFC 9112). The parser
is httptools, which wraps the HTTP parser of Node.js. A response may have a limited number of bytes,
and what is larger is not read to its end:

| limit | for |
|---|---|
| MAX_HEAD_BYTES | the head of any response, with the interim responses before it; its trailers |
| MAX_RESPONSE_BYTES | the default: what was sent, updated or deleted, tokens, keys, certificates |
| MAX_LIST_BYTES | members, conversations, a skill's answer |
| MAX_CONTENT_BYTES | content that is not parsed as JSON: attachments, what is in storage |

docs/security.md has what the largest response of each kind costs.
"""

import asyncio
import functools
import re
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit
from weakref import WeakSet, WeakValueDictionary

from aiohappyeyeballs import start_connection
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from http_client.observer import moment
from http_client.retry import IDEMPOTENT_METHODS

MAX_HEAD_BYTES = 64 * 1024

MAX_RESPONSE_BYTES = 1024 * 1024

MAX_LIST_BYTES = 16 * 1024 * 1024

MAX_CONTENT_BYTES = 64 * 1024 * 1024


class ConnectFailed(ConnectionError):
    """There was no connection, so nothing was sent."""


class ResponseLost(ConnectionError):
    """The request was sent, at least in part, but no valid response came.

    The server may or may not have done what was requested.
    """


class ResponseTooLarge(ResponseLost):
    """The response exceeds its limit: it would be no smaller next time."""


class Response(NamedTuple):
    """A server's response.

    Attributes:
        status: the HTTP status.
        headers: the headers by lower-case name; of a repeated header, the last value.
        body: the body as bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Timeouts:
    """The time limits of a request, in seconds.

    Attributes:
        connect: limit for connecting, including the TLS handshake.
        response: limit from sending the request to the end of the response.
        total: limit for the whole request.
    """

    connect: float
    response: float
    total: float


DEFAULT_TIMEOUTS = Timeouts(connect=3.0, response=10.0, total=10.0)

CONNECTION_ATTEMPT_DELAY_SECONDS = 0.25
"""The delay before the next address is tried in parallel, as RFC 8305 (5) recommends."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_URL = re.compile(r"(?P<origin>https?://(?P<host>[!\"$-.0->A-~]+))(?P<target>(?:[/?][!-\"$-~]*)?)")
"""An http(s) URL of printable ASCII characters, without a user name and a fragment."""


class HttpPool:
    """Sends requests, and keeps idle connections for reuse.

    The client stores no cookies, ignores proxy settings, and follows no redirects: a redirect would
    send the bearer token to a host that has not been checked.

    Args:
        attempt_delay: seconds before the next of a host's addresses is tried in parallel.
    """

    def __init__(self, attempt_delay: float = CONNECTION_ATTEMPT_DELAY_SECONDS) -> None:
        self._attempt_delay = attempt_delay
        # By origin, which goes with its last connection.
        self._idle: WeakValueDictionary[str, IdleConnections] = WeakValueDictionary()
        self._connections: WeakSet[HttpConnection] = WeakSet()
        self._closed = False
        self._tls: TlsContext | None = None

    @moment("http.request")
    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> Response:
        """Send a request and return the response.

        If a reused connection breaks, an idempotent request is sent again on a new connection,
        because the server may have closed the old one just before.

        Args:
            method: GET, POST, PUT or DELETE.
            url: http(s) URL, percent-encoded.
            headers: headers in addition to Host, Content-Length and Accept-Encoding.
            body: the body; empty for none.
            timeouts: time limits of this request.
            max_bytes: the size limit of the response's body; see MAX_RESPONSE_BYTES.

        Raises:
            ConnectFailed: nothing was sent, because there is no connection, or because the URL or a
                header is not valid.
            ResponseTooLarge: the request was sent, but the response exceeds a limit.
            ResponseLost: the request was sent, but there was no valid response.
        """
        match = _URL.fullmatch(url)
        if match is None:
            address = url.partition("?")[0]  # the query may hold secrets
            raise ConnectFailed(f"{address!r} cannot be reached: it is not an http(s) URL")
        origin = match["origin"]
        request = _head(method, match["host"], match["target"], headers, len(body)) + body
        now = asyncio.get_running_loop().time
        end = now() + timeouts.total
        connection = self._idle_connection(origin)
        if connection is not None:
            try:
                return await connection.send(
                    request, min(now() + timeouts.response, end), max_bytes
                )
            except ResponseTooLarge:
                raise
            except ResponseLost as error:
                late = isinstance(error.__cause__, TimeoutError)
                if method not in IDEMPOTENT_METHODS or late or now() >= end:
                    raise
        connection = await self._connect(origin, min(timeouts.connect, end - now()))
        return await connection.send(request, min(now() + timeouts.response, end), max_bytes)

    async def get_document(self, url: str) -> bytes:
        """The body of a public document.

        Raises:
            OSError: there is no response, or the response is too large or its status is not 200.
        """
        response = await self.request("GET", url)
        if response.status != HTTPStatus.OK:
            raise ConnectionError(f"{url} answered {response.status}")
        return response.body

    async def close(self) -> None:
        """Close all connections: requests that are under way, and later ones, fail."""
        self._closed = True
        for connection in self._connections:
            connection.close()
        await asyncio.sleep(0)  # the event loop closes the sockets

    def _idle_connection(self, origin: str) -> "HttpConnection | None":
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.reusable:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: str, seconds: float) -> "HttpConnection":
        if self._closed:
            raise ConnectFailed("the client is closed")
        try:
            parts = urlsplit(origin)
            tls = self._tls_context() if parts.scheme == "https" else None
            host, port = parts.hostname or "", parts.port or (443 if tls else 80)
            async with asyncio.timeout(seconds):
                sock = await _connected_socket(host, port, self._attempt_delay)
                connection = HttpConnection(self._idle.setdefault(origin, IdleConnections()))
                self._connections.add(connection)
                await connection.open(sock, tls, host)
            if self._closed:  # meanwhile: nobody else would close this connection
                connection.close()
                raise ConnectionAbortedError("the client is closed")
        # ValueError: an invalid port, or a host name with an empty label.
        # RuntimeError: uvloop raises it in places where asyncio raises an OSError.
        except (OSError, ValueError, RuntimeError) as error:
            raise ConnectFailed(f"{origin} cannot be reached") from error
        return connection

    def _tls_context(self) -> "TlsContext":
        if self._tls is None:
            self._tls = TlsContext()
            self._tls.load_default_certs()  # 5 to 10 ms, once per process
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


async def _connected_socket(host: str, port: int, attempt_delay: float) -> socket.socket:
    """A socket connected to the first of the host's addresses that responds (RFC 8305).

    uvloop's `create_connection`, unlike asyncio's, tries the addresses one after the other, and an
    address that does not respond would use up the timeout.
    """
    addresses = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return await start_connection(addresses, happy_eyeballs_delay=attempt_delay)


def _head(method: str, host: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    path = target if target.startswith("/") else f"/{target}"
    # Host and path are ASCII without line breaks, because `_URL` allows nothing else.
    first = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
    return first.encode() + _fields(tuple(headers.items()))


@functools.lru_cache(maxsize=32)  # calls to different URLs often have the same headers
def _fields(headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = ["Accept-Encoding: identity", *(f"{name}: {value}" for name, value in headers)]
    fields = "\r\n".join(lines)
    if fields.count("\r") + fields.count("\n") != 2 * (len(lines) - 1):
        raise ConnectFailed("a header spans more than one line")
    try:
        return f"{fields}\r\n\r\n".encode("latin-1")
    except UnicodeEncodeError as error:
        raise ConnectFailed("a header holds a character outside Latin-1") from error


IDLE_TIMEOUT_SECONDS = 30.0
"""The time for which an idle connection stays open: less than servers allow, so that requests are
rarely sent on a connection that the server is closing."""


class IdleConnections(list["HttpConnection"]):
    """An origin's idle connections.

    Its connections refer to them, and HttpPool does so weakly, which a plain list does not allow.
    """


class HttpConnection(asyncio.Protocol):
    """Sends requests, one after the other, and reads their responses.

    The connection closes itself after a response that is late, malformed or too large, after bytes
    that belong to no request, and when it has been idle for too long.

    Args:
        idle: the list of idle connections. The connection adds itself when it becomes idle, and
            removes itself when it is closed.
        idle_timeout: seconds after which an idle connection is closed.
    """

    def __init__(
        self, idle: list["HttpConnection"], idle_timeout: float = IDLE_TIMEOUT_SECONDS
    ) -> None:
        self._idle = idle
        self._idle_timeout = idle_timeout
        self._loop = asyncio.get_running_loop()
        self._parser: HttpResponseParser | None = None
        self._has_input: Callable[[], object]
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._keep_alive = False
        self._ends_with_connection = False
        self._max_bytes = 0
        self._in_head = False
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        # The parser keeps a field to itself until it ends, and never reports a chunk's extension.
        # So the bytes that it gets are counted: those of the head, then those since any content.
        self._bytes_left = 0
        self._trailer_bytes = 0
        # Each request moves the deadline; the one timer compares it with the time when it fires.
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @property
    def reusable(self) -> bool:
        """Whether another request can be sent: the connection is open, and nothing is unread."""
        if not self._keep_alive or self._transport is None or self._transport.is_closing():
            return False
        # If the server has just closed the connection, the kernel knows but the loop may not.
        return not self._has_input()

    @moment("http.connect")
    async def open(self, sock: socket.socket, tls: ssl.SSLContext | None, host: str) -> None:
        """Take over a connected socket and do the TLS handshake.

        Args:
            sock: the socket; from now on this connection owns it, even if this method raises.
            tls: the client's TLS context; None for plain HTTP.
            host: the host name that the server's certificate must be valid for.

        Raises:
            OSError, ValueError, RuntimeError: the connection was lost, or the handshake failed.
        """
        try:
            await self._loop.create_connection(
                lambda: self, sock=sock, ssl=tls, server_hostname=host if tls else None
            )
        except BaseException:
            self.close()
            # The event loop closes the file descriptor. With uvloop, the socket object may not
            # notice, and would later close another file that has the same descriptor by then.
            self._loop.call_soon(sock.detach)
            raise

    async def send(self, request: bytes, deadline: float, max_bytes: int) -> Response:
        """Send a request and return the response.

        Args:
            request: the encoded head and body.
            deadline: event loop time (seconds) by which the whole response must have arrived.
            max_bytes: the size limit of the response's body.

        Raises:
            ConnectFailed: the connection was lost before the request was sent.
            ResponseTooLarge: the response exceeds `max_bytes`, or its head or trailers exceed
                MAX_HEAD_BYTES.
            ResponseLost: there was no response, or the response was malformed or late.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectFailed("the connection was closed before the request")
        self._keep_alive, self._max_bytes = False, max_bytes
        self._in_head, self._bytes_left, self._trailer_bytes = True, MAX_HEAD_BYTES, 0
        waiting: asyncio.Future[Response] = self._loop.create_future()
        self._waiting = waiting
        self._set_deadline(deadline)
        transport.write(request)
        try:
            return await waiting
        except asyncio.CancelledError:
            # If the response was already complete, the connection may serve another request by now.
            if waiting.cancelled():
                self.close()
            raise
        finally:
            # It refers to its error, and the error's traceback to this frame: a reference cycle.
            del waiting

    def close(self) -> None:
        """Close immediately, without waiting for TLS's close_notify."""
        self._keep_alive = False
        if self in self._idle:
            self._idle.remove(self)
        # A traceback may refer to this connection for long: that keeps neither content nor origin.
        self._idle, self._body = [], bytearray()
        if self._transport is not None:
            self._transport.abort()

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        # Not the handle's `when()`: for a time in the past, uvloop returns a handle without it.
        self._timer, self._timer_at = self._loop.call_at(deadline, self._on_timer), deadline

    def _on_timer(self) -> None:
        self._timer = None
        if self._loop.time() < self._deadline:
            self._set_deadline(self._deadline)
        else:
            self._lose(TimeoutError("the response is late"))

    def _lose(self, cause: Exception | None) -> None:
        error = ResponseLost(f"no response: {cause or 'the connection was closed'}")
        error.__cause__ = cause
        self._fail(error)

    def _refuse(self, part: str, limit: int) -> None:
        self._fail(ResponseTooLarge(f"the response is too large: {part} has over {limit} bytes"))

    def _fail(self, error: ResponseLost) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        self.close()

    # asyncio.Protocol: called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = HttpResponseParser(self)
        self._has_input = _input_check(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        while data:
            if self._waiting is None or self._parser is None:
                self.close()
                return
            size = self._bytes_left if self._in_head else len(data)
            piece, data = data[:size], data[size:]
            self._bytes_left -= len(piece)
            try:
                self._parser.feed_data(piece)
            except (HttpParserError, HttpParserUpgrade) as error:
                self._lose(error)
                return
            if self._bytes_left <= 0 and self._waiting is not None:
                part = "its head" if self._in_head else "a trailer or a chunk's extension"
                self._refuse(part, MAX_HEAD_BYTES)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ends_with_connection and error is None:
            self.on_message_complete()
        self._lose(error)
        # Parser and connection refer to each other: this reference cycle would keep them and their
        # buffers in memory until the next garbage collection.
        self._parser = None

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._keep_alive = self._ends_with_connection = False
        self._headers = {}
        self._body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
            return
        self._trailer_bytes += len(name) + len(value)
        if self._trailer_bytes > MAX_HEAD_BYTES:
            self._refuse("its trailer section", MAX_HEAD_BYTES)

    def on_headers_complete(self) -> None:
        status = cast("HttpResponseParser", self._parser).get_status_code()
        if status < 200:
            return  # an interim response (RFC 9110, 15.2)
        self._in_head, self._bytes_left = False, MAX_HEAD_BYTES
        length = self._headers.get("content-length")
        # Without either header, the body ends when the connection is closed (RFC 9112, 6.3).
        self._ends_with_connection = length is None and "transfer-encoding" not in self._headers
        # That of a 304 is the length of a body that is not sent (RFC 9110, 8.6).
        if length and status != HTTPStatus.NOT_MODIFIED and int(length) > self._max_bytes:
            self._refuse("its body", self._max_bytes)

    def on_body(self, data: bytes) -> None:
        self._bytes_left = MAX_HEAD_BYTES
        self._body += data
        if len(self._body) > self._max_bytes:
            self._refuse("its body", self._max_bytes)

    def on_message_complete(self) -> None:
        parser = cast("HttpResponseParser", self._parser)
        status = parser.get_status_code()
        if status < 200:
            return
        waiting, self._waiting, self._ends_with_connection = self._waiting, None, False
        if waiting is None or waiting.done():
            self.close()
            return
        # The connection may be idle for long: it does not keep the content.
        body, self._body = self._body, bytearray()
        waiting.set_result(Response(status, self._headers, bytes(body)))
        self._keep_alive = parser.should_keep_alive()
        if self._keep_alive:
            self._set_deadline(self._loop.time() + self._idle_timeout)
            self._idle.append(self)
        else:
            self.close()


def _input_check(socket: Any) -> Callable[[], object]:
    """A function that returns a true value if the socket has data, or its end, to read."""
    if sys.platform == "win32":  # Windows has no poll
        return lambda: select.select([socket], [], [], 0)[0]
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return lambda: poll.poll(0)


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
