"""HttpFront: an HTTP/1.1 server that costs little, so that measurements show what is behind it.

Azure's front is a process of its own; this one shares a CPU core with the bot.
"""

import asyncio
import functools
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple, cast
from urllib.parse import parse_qsl

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from bot_workbench.emulator.loopback import LOCALHOST, LOOPBACK

_NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class HttpRequest(NamedTuple):
    """One request.

    Attributes:
        method: as sent.
        target: path and query as sent.
        headers: names in lower case, repeated ones joined with a comma.
        body: as sent, without the chunks' framing.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class HttpResponse(NamedTuple):
    """One answer.

    Attributes:
        status: the HTTP status.
        headers: all but Content-Length and Date, as they are sent.
        body: bytes.
    """

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


def query_fields(query: str) -> dict[str, str]:
    """The fields of a query: repeated ones joined with a comma, empty ones left out."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(query):
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class HttpFront:
    """Serves HTTP on loopback. A caller that disconnects does not cancel the handler.

    Args:
        handler: answers a request; it must not raise.
    """

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.running: set[asyncio.Task[None]] = set()
        self.connections: set[_FrontConnection] = set()
        self.is_stopping = False
        self.port = 0
        """The port it listens on, once it is started."""
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://{LOCALHOST}:{self.port}"

    async def start(self, port: int = 0, listening: socket.socket | None = None) -> None:
        """Listen on `port`; 0 takes a free one.

        Args:
            port: see there.
            listening: a socket that listens already, in place of a port.

        Raises:
            OSError: the port is taken.
        """
        self.is_stopping = False
        create = functools.partial(
            asyncio.get_running_loop().create_server, lambda: _FrontConnection(self)
        )
        if listening is None:
            self._server = await create(LOOPBACK, port)
        else:
            self._server = await create(sock=listening)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self, grace_seconds: float) -> None:
        """Close the socket and idle connections, and after `grace_seconds` at most the others."""
        self.is_stopping = True
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.close_if_idle()
        if self.running:
            await asyncio.wait(self.running, timeout=grace_seconds)
        for connection in self.connections:
            connection.abort()


class _FrontConnection(asyncio.Protocol):
    def __init__(self, front: HttpFront) -> None:
        self._front = front
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()
        self._serving = False

    def close_if_idle(self) -> None:
        if not self._serving:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._front.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._front.connections.discard(self)
        self._waiting.clear()
        self._parser = None

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        # UnicodeError: a header that is not UTF-8, which Kestrel refuses too.
        except (HttpParserError, HttpParserUpgrade, UnicodeError):
            self._parser = None
            self._transport.write(_written(HttpResponse(HTTPStatus.BAD_REQUEST), keep=False))
            self._transport.close()

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode().lower(), value.decode()
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known},{text}"

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        parser = cast("HttpRequestParser", self._parser)
        request = HttpRequest(
            parser.get_method().decode(), self._target.decode(), self._headers, bytes(self._body)
        )
        self._waiting.append((request, parser.should_keep_alive()))
        if not self._serving:
            self._serving = True
            task = asyncio.get_running_loop().create_task(self._serve())
            self._front.running.add(task)
            task.add_done_callback(self._front.running.discard)

    async def _serve(self) -> None:
        while self._waiting:
            request, keep = self._waiting.popleft()
            response = await self._front.handler(request)
            keep = keep and not self._front.is_stopping
            answer = _written(response, keep, request.method)
            if self._transport.is_closing():
                break
            self._transport.write(answer)
            if not keep:
                self._transport.close()
        self._serving = False


def _written(response: HttpResponse, keep: bool, method: str = "") -> bytes:
    status, headers, body = response
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if status not in _NO_BODY:
        fields += f"Content-Length: {len(body)}\r\n"
    closing = "" if keep else "Connection: close\r\n"
    head = f"HTTP/1.1 {_phrase(status)}\r\n{fields}Date: {_date(int(time.time()))}\r\n{closing}\r\n"
    return head.encode() + (b"" if method == "HEAD" or status in _NO_BODY else body)


@functools.cache
def _phrase(status: int) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    return f"{status} {known.get(status, '')}"


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
