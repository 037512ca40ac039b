"""HttpPool: the process's HTTP client, with a pool of connections."""

import asyncio
import functools
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit
from weakref import WeakSet, WeakValueDictionary

from aiohappyeyeballs import start_connection

from http_client.connection import (
    MAX_RESPONSE_BYTES,
    ConnectFailed,
    HttpConnection,
    IdleConnections,
    Response,
    ResponseLost,
    ResponseTooLarge,
)
from http_client.retry import IDEMPOTENT_METHODS
from http_client.tls import TlsContext

CONNECTION_ATTEMPT_DELAY_SECONDS = 0.25
"""The delay before the next address is tried in parallel, as RFC 8305 (5) recommends."""

_URL = re.compile(r"(?P<origin>https?://(?P<host>[!\"$-.0->A-~]+))(?P<target>(?:[/?][!-\"$-~]*)?)")
"""An http(s) URL of printable ASCII characters, without a user name and a fragment."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


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
            max_bytes: the size limit of the response's body; see connection.py.

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

    def _idle_connection(self, origin: str) -> HttpConnection | None:
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.reusable:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: str, seconds: float) -> HttpConnection:
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

    def _tls_context(self) -> TlsContext:
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
