"""HttpUpstream: sends requests, as they are, to a server behind this one."""

import asyncio
import ssl
from typing import cast

from httptools import HttpParserError, HttpResponseParser

from bot_workbench.emulator.functions.http_front import HttpRequest, HttpResponse
from bot_workbench.emulator.loopback import LOOPBACK

# The front writes its own.
_HOP_BY_HOP = {"connection", "content-length", "date"}


class HttpUpstream:
    """A server, and the idle connections to it.

    Args:
        port: where it listens.
        host: its name or address.
        tls: the context of the connections' TLS; None: plain HTTP.
    """

    def __init__(self, port: int, host: str = LOOPBACK, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._host = host
        self._tls = tls
        self._idle: list[_UpstreamConnection] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and wait for the answer.

        Raises:
            ConnectionRefusedError: the server does not listen; nothing was sent.
            ConnectionAbortedError: its answer is not HTTP.
            ConnectionError: the server is gone; it may have received the request.
            OSError: its name or its certificate is wrong; nothing was sent.
        """
        connection = await self._connection()
        try:
            response = await connection.send(request)
        except BaseException:  # a cancelled request's answer would be the next one's
            connection.close()
            raise
        if connection.is_usable:
            self._idle.append(connection)
        else:
            connection.close()
        return response

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _connection(self) -> "_UpstreamConnection":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            _UpstreamConnection, self._host, self._port, ssl=self._tls
        )
        return connection


class _UpstreamConnection(asyncio.Protocol):
    def __init__(self) -> None:
        self.is_usable = True
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._method = ""

    async def send(self, request: HttpRequest) -> HttpResponse:
        self._answer = asyncio.get_running_loop().create_future()
        self._method = request.method
        self._transport.write(_written(request))
        return await self._answer

    def close(self) -> None:
        self.is_usable = False
        self._transport.close()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionResetError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(ConnectionAbortedError(f"the answer is not HTTP: {error}"))
            self._transport.abort()

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._length = 0
        self._body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        text = name.decode()
        if text.lower() == "content-length":
            self._length = int(value)
        if text.lower() not in _HOP_BY_HOP:
            self._headers[text] = value.decode()

    def on_headers_complete(self) -> None:
        if self._method == "HEAD":
            # The parser would wait for the body. The front only writes its length.
            self._body = bytearray(self._length)
            self.is_usable = False
            self._finish()

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        # 100 Continue is not the final answer.
        if self._parser.get_status_code() >= 200:
            self.is_usable = self.is_usable and self._parser.should_keep_alive()
            self._finish()

    def _fail(self, error: ConnectionError) -> None:
        self.is_usable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            status = self._parser.get_status_code()
            self._answer.set_result(HttpResponse(status, self._headers, bytes(self._body)))


def _written(request: HttpRequest) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    head = f"{request.method} {request.target} HTTP/1.1\r\n{fields}\r\n".encode()
    if "transfer-encoding" not in request.headers:
        return head + request.body
    last = b"0\r\n\r\n"
    return (
        head + (b"%x\r\n%b\r\n" % (len(request.body), request.body) if request.body else b"") + last
    )
