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

from http_client.connection import ConnectFailed, HttpAnswer, HttpConnection, ResponseLost
from http_client.retry import IDEMPOTENT_METHODS
from http_client.tls import TlsContext

LARGEST_DOCUMENT = 1024 * 1024
"""Bytes of a fetched document."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of any answer; what users attach is read whole."""

CONNECTION_ATTEMPT_DELAY_SECONDS = 0.25
"""The Connection Attempt Delay that RFC 8305 recommends (5)."""

_URL = re.compile(r"(?P<origin>https?://(?P<host>[!\"$-.0->A-~]+))(?P<target>(?:[/?][!-\"$-~]*)?)")
"""Printable ASCII, without user name and fragment."""

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Timeouts:
    """Seconds that a request may take.

    Attributes:
        connect: to connect, TLS included.
        answer: from when it is sent to the answer's end.
        total: in all.
    """

    connect: float
    answer: float
    total: float


USUAL_TIMEOUTS = Timeouts(connect=3.0, answer=10.0, total=10.0)


class HttpPool:
    """Keeps connections for reuse; nothing is made before the first request.

    It keeps no cookies, reads no proxy settings, and follows no redirect: a redirect would carry
    the bearer token to a host that nobody has checked.

    Args:
        attempt_delay: seconds before the next address of a host is tried in parallel.
    """

    def __init__(self, attempt_delay: float = CONNECTION_ATTEMPT_DELAY_SECONDS) -> None:
        self._attempt_delay = attempt_delay
        self._idle: dict[str, list[HttpConnection]] = {}
        self._tls: TlsContext | None = None

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NONE,
        body: bytes = b"",
        *,
        timeouts: Timeouts = USUAL_TIMEOUTS,
        largest: int = LARGEST_ANSWER,
    ) -> HttpAnswer:
        """Make one request.

        One that twice is the same as once is sent again when a connection that was used before
        breaks under it: the server may have closed that a moment ago.

        Args:
            method: GET, POST, PUT or DELETE.
            url: encoded http(s) URL.
            headers: beside Host, Content-Length and Accept-Encoding.
            body: bytes.
            timeouts: after which it is given up.
            largest: bytes that the answer's body may have.

        Raises:
            ConnectFailed: there is no connection, or the request cannot be written down.
            ResponseLost: it was sent and may have been done.
        """
        match = _URL.fullmatch(url)
        if match is None:
            place = url.partition("?")[0]  # what follows may be nobody else's business
            raise ConnectFailed(f"{place!r} cannot be reached: it is no http(s) URL")
        origin = match["origin"]
        request = _head(method, match["host"], match["target"], headers, len(body)) + body
        now = asyncio.get_running_loop().time
        end = now() + timeouts.total
        connection = self._idle_one(origin)
        if connection is not None:
            try:
                return await connection.send(request, min(now() + timeouts.answer, end), largest)
            except ResponseLost as error:
                late = isinstance(error.__cause__, TimeoutError)
                if method not in IDEMPOTENT_METHODS or late or now() >= end:
                    raise
        connection = await self._connect(origin, min(timeouts.connect, end - now()))
        return await connection.send(request, min(now() + timeouts.answer, end), largest)

    async def get_document(self, url: str) -> bytes:
        """The body of a public document.

        Raises:
            OSError: it cannot be had, is too large, or is answered with another status than 200.
        """
        answer = await self.request("GET", url, largest=LARGEST_DOCUMENT)
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"{url} answered {answer.status}")
        return answer.body

    async def close(self) -> None:
        """Close every connection that is not in use."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        await asyncio.sleep(0)  # the event loop closes the sockets

    def _idle_one(self, origin: str) -> HttpConnection | None:
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
            tls = self._client_tls() if parts.scheme == "https" else None
            host, port = parts.hostname or "", parts.port or (443 if tls else 80)
            async with asyncio.timeout(seconds):
                sock = await _connected_socket(host, port, self._attempt_delay)
                await connection.open(sock, tls, host)
        # ValueError: not a port, or a host name with an empty label, which the resolver rejects.
        # RuntimeError: uvloop may raise it where asyncio raises an OSError.
        except (OSError, ValueError, RuntimeError) as error:
            raise ConnectFailed(f"{origin} cannot be reached") from error
        return connection

    def _client_tls(self) -> TlsContext:
        if self._tls is None:
            self._tls = TlsContext()
            self._tls.load_default_certs()  # 5 to 10 ms, once in a process
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


async def _connected_socket(host: str, port: int, attempt_delay: float) -> socket.socket:
    """A socket connected to the host's first address that answers, IPv6 and IPv4 in turn.

    uvloop's `create_connection`, unlike asyncio's, tries only one address at a time: a dead one
    would take all of the timeout.
    """
    addresses = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return await start_connection(addresses, happy_eyeballs_delay=attempt_delay)


def _head(method: str, host: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    path = target if target.startswith("/") else f"/{target}"
    # Of ASCII without line ends: the caller's own words, and what `_URL` lets through.
    first = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
    return first.encode() + _fields(tuple(headers.items()))


@functools.lru_cache(maxsize=32)  # calls differ in their targets; their headers are the same
def _fields(headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = ["Accept-Encoding: identity", *(f"{name}: {value}" for name, value in headers)]
    fields = "\r\n".join(lines)
    if fields.count("\r") + fields.count("\n") != 2 * (len(lines) - 1):
        raise ConnectFailed("a header has more than one line")
    try:
        return f"{fields}\r\n\r\n".encode("latin-1")
    except UnicodeEncodeError as error:
        raise ConnectFailed("a header holds a character that HTTP has no byte for") from error
