"""HttpConnection: one connection to a server, with one request on it at a time (RFC 9112).

Answers are taken apart by httptools, Node.js's parser: whatever frames them is its business.
"""

import asyncio
import select
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

IDLE_TIMEOUT = 30.0
"""Seconds that an idle connection is kept: less than servers keep theirs, so that a request is not
sent into one that is being closed."""


class ConnectFailed(ConnectionError):
    """There is no connection, so nothing was sent."""


class ResponseLost(ConnectionError):
    """A request was sent, if only in part, and no answer came: it may have been done."""


class HttpAnswer(NamedTuple):
    """A server's answer.

    Attributes:
        status: the HTTP status.
        headers: by name in lower case; of a repeated one the last.
        body: bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection(asyncio.Protocol):
    """Sends requests, one after the other, and reads their answers.

    It closes itself when it can be of no more use: an answer that is late, broken or too large,
    bytes that nobody asked for, or nothing to do for `IDLE_TIMEOUT`.

    Args:
        idle: it puts itself there while it has nothing to do, and leaves when it is closed.
    """

    def __init__(self, idle: "list[HttpConnection]") -> None:
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._parser: HttpResponseParser | None = None
        self._has_input: Callable[[], object]
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[HttpAnswer] | None = None
        self._kept = False
        self._endless = False
        self._largest = 0
        # Moved on by every request; the one timer looks at it when it rings.
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @property
    def reusable(self) -> bool:
        """Another request can be sent: the server has kept the connection, and is silent."""
        if not self._kept or self._transport is None or self._transport.is_closing():
            return False
        # If the server closed it a moment ago, the kernel knows, but the event loop may not yet.
        return not self._has_input()

    async def open(self, sock: socket.socket, tls: ssl.SSLContext | None, host: str) -> None:
        """Take over a connected socket, and do the TLS handshake.

        Args:
            sock: owned by this connection from now on, also when this method raises.
            tls: the client's TLS context; None: no TLS.
            host: the name that the server's certificate must have.

        Raises:
            OSError, ValueError, RuntimeError: the connection was lost, or the handshake failed.
        """
        try:
            await self._loop.create_connection(
                lambda: self, sock=sock, ssl=tls, server_hostname=host if tls else None
            )
        except BaseException:
            self.close()
            # The event loop closes the file descriptor. uvloop does not always tell the socket
            # object, which would later close whatever has got the same descriptor by then.
            self._loop.call_soon(sock.detach)
            raise

    async def send(self, request: bytes, deadline: float, largest: int) -> HttpAnswer:
        """The answer to a request.

        Args:
            request: its bytes, head and body.
            deadline: event loop time by which the answer must have come.
            largest: bytes that its body may have.

        Raises:
            ConnectFailed: the connection was lost before the request.
            ResponseLost: there was no answer, or it was not valid HTTP.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectFailed("the connection was closed before the request")
        self._kept, self._largest = False, largest
        waiting: asyncio.Future[HttpAnswer] = self._loop.create_future()
        self._waiting = waiting
        self._end_at(deadline)
        transport.write(request)
        try:
            return await waiting
        except asyncio.CancelledError:
            # With its answer there, the connection may be another request's by now.
            if waiting.cancelled():
                self.close()
            raise

    def close(self) -> None:
        """Close it, without the goodbye that TLS would wait for."""
        self._kept = False
        if self._transport is not None:
            self._transport.abort()

    def _end_at(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        # `when()` of the handle is no use: for a time that is due, uvloop returns one without it.
        self._timer, self._timer_at = self._loop.call_at(deadline, self._look_at_time), deadline

    def _look_at_time(self) -> None:
        self._timer = None
        if self._loop.time() < self._deadline:
            self._end_at(self._deadline)
        else:
            self._give_up(TimeoutError("the answer is late"))

    def _give_up(self, cause: Exception | None) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            error = ResponseLost(f"no answer: {cause or 'the connection was closed'}")
            error.__cause__ = cause
            waiting.set_exception(error)
        self.close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = HttpResponseParser(self)
        self._has_input = _look_at(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._parser is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._give_up(error)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self in self._idle:
            self._idle.remove(self)
        if self._endless and error is None:
            self.on_message_complete()
        self._give_up(error)
        # It knows us as we know it: the two would wait for the garbage collector, buffers and all.
        self._parser = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._kept = self._endless = False
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        # Its body ends with the connection then (RFC 9112, 6.3).
        self._endless = not {"content-length", "transfer-encoding"} & self._headers.keys()

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._largest:
            self._give_up(ValueError("the answer is too large"))

    def on_message_complete(self) -> None:
        parser = cast("HttpResponseParser", self._parser)
        status = parser.get_status_code()
        if status < 200:
            return  # an interim answer (RFC 9110, 15.2)
        waiting, self._waiting, self._endless = self._waiting, None, False
        if waiting is None or waiting.done():
            self.close()
            return
        waiting.set_result(HttpAnswer(status, self._headers, bytes(self._body)))
        self._kept = parser.should_keep_alive()
        if self._kept:
            self._end_at(self._loop.time() + IDLE_TIMEOUT)
            self._idle.append(self)
        else:
            self.close()


def _look_at(socket: Any) -> Callable[[], object]:
    """Something true is answered while there is something to read, if only the end."""
    if sys.platform == "win32":  # which has no poll
        return lambda: select.select([socket], [], [], 0)[0]
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return lambda: poll.poll(0)
