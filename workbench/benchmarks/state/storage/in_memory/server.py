"""StorageServer: the account's services over HTTP/1.1, one connection at a time or many."""

import asyncio
import itertools
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

import httptools

from benchmarks.state.storage.in_memory.message import (
    ServiceError,
    ServiceRequest,
    ServiceResponse,
)
from bot_workbench.emulator.loopback import LOOPBACK

_VERSION = "2021-12-02"
_REQUESTS = itertools.count(1)

Handle = Callable[[ServiceRequest], ServiceResponse]
"""Handles a request, or raises ServiceError."""


async def serve(handle: Handle, port: int) -> asyncio.Server:
    """Serve a service on loopback.

    Raises:
        OSError: the port is in use.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(handle), LOOPBACK, port, backlog=512)


class _Connection(asyncio.Protocol):
    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have no base class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        url = urlsplit(self._url.decode())
        method = self._parser.get_method().decode()
        # The first part is the account's name; a blob's name may contain slashes.
        path = tuple(unquote(part) for part in url.path.split("/")[2:])
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = ServiceRequest(method, path, query, self._headers, b"".join(self._body))
        self._url, self._headers, self._body = b"", {}, []
        try:
            response = self._handle(request)
        except ServiceError as error:
            response = error.response()
        self._transport.write(_bytes(response, method))


def _bytes(response: ServiceResponse, method: str) -> bytes:
    fields = {
        "Content-Length": f"{len(response.body)}",
        "x-ms-request-id": f"{next(_REQUESTS)}",
        "x-ms-version": _VERSION,
        **response.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    body = b"" if method == "HEAD" else response.body
    return (
        f"HTTP/1.1 {response.status.value} {response.status.phrase}\r\n{head}\r\n".encode() + body
    )
