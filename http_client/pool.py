"""HttpPool: the process's one pooled HTTP client."""

import asyncio
import functools
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection

from http_client.connection import ConnectFailed, HttpConnection, Response, ResponseLost
from http_client.retry import IDEMPOTENT_METHODS
from http_client.tls import TlsContext

MAX_DOCUMENT_BYTES = 1024 * 1024

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Users' attachments are read into memory as a whole."""

CONNECTION_ATTEMPT_DELAY_SECONDS = 0.25
"""As RFC 8305 (5) recommends."""

_URL = re.compile(r"(?P<origin>https?://(?P<host>[!\"$-.0->A-~]+))(?P<target>(?:[/?][!-\"$-~]*)?)")
"""Printable ASCII, without user name and without fragment."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Timeouts:
    """Seconds that a request may take.

    Attributes:
        connect: to connect, including TLS.
        response: from sending the request to the end of the response.
        total: in all.
    """

    connect: float
    response: float
    total: float


DEFAULT_TIMEOUTS = Timeouts(connect=3.0, response=10.0, total=10.0)


class HttpPool:
    """Keeps idle connections for reuse; connects when a request needs it.

    It has no cookies, ignores proxy settings and follows no redirect: a redirect would send the
    bearer token to a host that has not been checked.

    Args:
        attempt_delay: seconds before the host's next address is tried in parallel.
    """

    def __init__(self, attempt_delay: float = CONNECTION_ATTEMPT_DELAY_SECONDS) -> None:
        self._attempt_delay = attempt_delay
        self._idle: dict[str, list[HttpConnection]] = {}
        self._tls: TlsContext | None = None

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
        """Send one request.

        An idempotent request is sent a second time when a reused connection breaks: the server may
        have closed it just before.

        Args:
            method: GET, POST, PUT or DELETE.
            url: http(s) URL, percent-encoded.
            headers: in addition to Host, Content-Length and Accept-Encoding.
            body: bytes.
            timeouts: of this request.
            max_bytes: limit of the response's body.

        Raises:
            ConnectFailed: nothing was sent: there is no connection, or the URL or a header is not
                valid.
            ResponseLost: the request was sent and may have been done.
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
            except ResponseLost as error:
                late = isinstance(error.__cause__, TimeoutError)
                if method not in IDEMPOTENT_METHODS or late or now() >= end:
                    raise
        connection = await self._connect(origin, min(timeouts.connect, end - now()))
        return await connection.send(request, min(now() + timeouts.response, end), max_bytes)

    async def get_document(self, url: str) -> bytes:
        """The body of a public document.

        Raises:
            OSError: there is no response, it is too large, or its status is not 200.
        """
        response = await self.request("GET", url, max_bytes=MAX_DOCUMENT_BYTES)
        if response.status != HTTPStatus.OK:
            raise ConnectionError(f"{url} answered {response.status}")
        return response.body

    async def close(self) -> None:
        """Close every connection that is not in use."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        await asyncio.sleep(0)  # the event loop closes the sockets

    def _idle_connection(self, origin: str) -> HttpConnection | None:
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.reusable:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: str, seconds: float) -> HttpConnection:
        connection = HttpConnection(self._idle.setdefault(origin, []))
        try:
            parts = urlsplit(origin)
            tls = self._tls_context() if parts.scheme == "https" else None
            host, port = parts.hostname or "", parts.port or (443 if tls else 80)
            async with asyncio.timeout(seconds):
                sock = await _connected_socket(host, port, self._attempt_delay)
                await connection.open(sock, tls, host)
        # ValueError: an invalid port, or a host name with an empty label.
        # RuntimeError: uvloop raises it in places where asyncio raises an OSError.
        except (OSError, ValueError, RuntimeError) as error:
            raise ConnectFailed(f"{origin} cannot be reached") from error
        return connection

    def _tls_context(self) -> TlsContext:
        if self._tls is None:
            self._tls = TlsContext()
            self._tls.load_default_certs()  # 5 to 10 ms, once per process
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


async def _connected_socket(host: str, port: int, attempt_delay: float) -> socket.socket:
    """A socket connected to the first of the host's addresses that answers (RFC 8305).

    uvloop's `create_connection`, unlike asyncio's, tries one address at a time: a dead one would
    use up the timeout.
    """
    addresses = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return await start_connection(addresses, happy_eyeballs_delay=attempt_delay)


def _head(method: str, host: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    path = target if target.startswith("/") else f"/{target}"
    # Only ASCII without line ends: the method is our code's, and `_URL` allows nothing else.
    first = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
    return first.encode() + _fields(tuple(headers.items()))


@functools.lru_cache(maxsize=32)  # calls have different targets, but the same headers
def _fields(headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = ["Accept-Encoding: identity", *(f"{name}: {value}" for name, value in headers)]
    fields = "\r\n".join(lines)
    if fields.count("\r") + fields.count("\n") != 2 * (len(lines) - 1):
        raise ConnectFailed("a header spans more than one line")
    try:
        return f"{fields}\r\n\r\n".encode("latin-1")
    except UnicodeEncodeError as error:
        raise ConnectFailed("a header holds a character outside Latin-1") from error
