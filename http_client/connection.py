"""HttpConnection: one HTTP/1.1 connection, with one request on it at a time (RFC 9112).

The parser is httptools, which wraps the HTTP parser of Node.js. A response may have a limited
number of bytes, and what is larger is not read to its end:

| limit | for |
|---|---|
| MAX_HEAD_BYTES | the head of any response, with the interim responses before it; its trailers |
| MAX_RESPONSE_BYTES | the default: what was sent, updated or deleted, tokens, keys, certificates |
| MAX_LIST_BYTES | members, conversations, a skill's answer |
| MAX_CONTENT_BYTES | content that is not parsed as JSON: attachments, what is in storage |

docs/security.md has what the largest response of each kind costs.
"""

import asyncio
import select
import socket
import ssl
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD_BYTES = 64 * 1024

MAX_RESPONSE_BYTES = 1024 * 1024

MAX_LIST_BYTES = 16 * 1024 * 1024

MAX_CONTENT_BYTES = 64 * 1024 * 1024


IDLE_TIMEOUT_SECONDS = 30.0
"""How long an idle connection stays open: less than servers allow, so that requests are rarely sent
on a connection that the server is closing."""


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
