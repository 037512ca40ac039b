"""HttpConnection: responses in every framing, and what can go wrong on one connection."""

import asyncio
import contextlib
import gc
import socket
import tracemalloc
import weakref
from collections.abc import AsyncIterator

import pytest

from bot_workbench.emulator.loopback import LOOPBACK
from http_client.pool import (
    MAX_HEAD_BYTES,
    ConnectFailed,
    HttpConnection,
    IdleConnections,
    Response,
    ResponseLost,
    ResponseTooLarge,
)
from tests.support.timing.condition import comes_true

MAX_BYTES = 1000
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server that sends the same bytes for every request.

    Attributes:
        sends: the response; its pieces are sent one by one.
        closes: whether it then closes the connection.
        requests: the heads that it received.
    """

    def __init__(self) -> None:
        self.sends: list[bytes] = [OK]
        self.closes = False
        self.requests: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> int:
        """Listen, and return the port."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        while not writer.is_closing():
            try:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            for piece in self.sends:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if self.closes:
                writer.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    yield peer
    await peer.stop()


@pytest.fixture
def idle() -> list[HttpConnection]:
    """Where idle connections are."""
    return []


@pytest.fixture
async def connection(peer: Peer, idle: list[HttpConnection]) -> AsyncIterator[HttpConnection]:
    """A connection to the peer."""
    connection = await connected(peer, HttpConnection(idle))
    yield connection
    connection.close()


async def connected(peer: Peer, connection: HttpConnection) -> HttpConnection:
    """The connection, connected to the peer."""
    await connection.open(socket.create_connection((LOOPBACK, await peer.start())), None, LOOPBACK)
    return connection


async def ask(connection: HttpConnection, seconds: float = 5.0) -> Response:
    """Send a request with a deadline in so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    return await connection.send(REQUEST, deadline, MAX_BYTES)


FRAMES: dict[str, tuple[list[bytes], bytes]] = {
    "length": ([OK], b"ok"),
    "byte by byte": ([bytes([byte]) for byte in OK], b"ok"),
    "chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"0\r\n\r\n"],
        b"ok",
    ),
    "no content": ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
    "after an interim response": ([b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK], b"ok"),
    "empty": ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], b""),
}


@pytest.mark.parametrize("frame", FRAMES)
async def test_frames(frame: str, peer: Peer, connection: HttpConnection) -> None:
    """Each framing that a server may choose is read to its end; the connection stays open."""
    peer.sends, body = FRAMES[frame]
    for _ in range(3):
        response = await ask(connection)
        assert response.body == body
        assert response.status in (200, 204)
        assert connection.reusable
    assert len(peer.requests) == 3


async def test_headers(peer: Peer, connection: HttpConnection) -> None:
    """Names are in lower case, and no header of one response is in the next."""
    peer.sends = [b"HTTP/1.1 429 X\r\nRETRY-after: 7\r\nContent-Length: 0\r\n\r\n"]
    assert (await ask(connection)).headers == {"retry-after": "7", "content-length": "0"}
    peer.sends = [OK]
    assert (await ask(connection)).headers == {"content-length": "2"}


async def test_until_the_end(peer: Peer, connection: HttpConnection) -> None:
    """A body without a length ends with the connection (RFC 9112, 6.3)."""
    peer.sends, peer.closes = [b"HTTP/1.1 200 OK\r\n\r\n", b"o", b"k"], True
    assert (await ask(connection)).body == b"ok"
    assert not connection.reusable


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"HTTP/1.0 200 OK\r\n"]
)
async def test_the_server_closes(head: bytes, peer: Peer, connection: HttpConnection) -> None:
    """A connection that the server is about to close is not reused."""
    peer.sends = [head + b"Content-Length: 2\r\n\r\nok"]
    assert (await ask(connection)).body == b"ok"
    assert not connection.reusable


@pytest.mark.parametrize(
    "broken",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [b"no HTTP at all\r\n\r\n"],
        [b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + 1001 * b"x"],
    ],
)
async def test_malformed_responses(
    broken: list[bytes],
    peer: Peer,
    connection: HttpConnection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Cut off, no HTTP, two lengths, or too large: ResponseLost, and the connection is closed."""
    peer.sends, peer.closes = broken, True
    with pytest.raises(ResponseLost):
        await ask(connection)
    assert not connection.reusable
    assert caplog.messages == []  # the event loop would log an error that it had to catch


async def test_too_late(peer: Peer, connection: HttpConnection) -> None:
    """A response that is incomplete at the deadline is lost."""
    peer.sends = [OK[:-1]]
    with pytest.raises(ResponseLost, match="late"):
        await ask(connection, seconds=0.02)
    assert not connection.reusable


async def test_each_request_has_its_own_deadline(peer: Peer, connection: HttpConnection) -> None:
    """Neither the last request's deadline nor the idle timeout extends the next deadline."""
    await ask(connection, seconds=60)
    peer.sends = [OK[:-1]]
    with pytest.raises(ResponseLost, match="late"):
        await ask(connection, seconds=0.02)


async def test_a_response_at_the_deadline(peer: Peer, connection: HttpConnection) -> None:
    """A response in the same iteration of the event loop as the deadline is accepted."""
    peer.sends = []
    asking = asyncio.create_task(ask(connection, seconds=0))
    await asyncio.sleep(0)
    connection.data_received(OK)
    assert (await asking).body == b"ok"
    assert connection.reusable


async def test_closed_before_the_request(
    peer: Peer, connection: HttpConnection, idle: list[HttpConnection]
) -> None:
    """A request on a connection that the server has closed fails at once; nothing is sent."""
    await ask(connection)
    peer.hang_up()
    await comes_true(lambda: not idle)
    with pytest.raises(ConnectFailed, match="closed before"):
        await ask(connection)
    assert len(peer.requests) == 1


async def test_idle_for_too_long(peer: Peer, idle: list[HttpConnection]) -> None:
    """A connection that is idle for longer than its timeout is closed."""
    await ask(await connected(peer, HttpConnection(idle, idle_timeout=0.02)))
    await comes_true(lambda: not idle)


async def test_a_closed_connection_is_freed(peer: Peer) -> None:
    """No reference cycle keeps a closed connection, whose buffers are large."""
    connection = await connected(peer, HttpConnection([]))
    await ask(connection)
    known = weakref.ref(connection)
    gc.disable()
    try:
        connection.close()
        del connection
        await comes_true(lambda: known() is None)
    finally:
        gc.enable()


async def test_a_failed_connection_is_freed(peer: Peer) -> None:
    """No reference cycle keeps it: it may have read nearly as much as the limit allows."""
    connection = await connected(peer, HttpConnection([]))
    peer.sends = TOO_LARGE["body"][0]
    known = weakref.ref(connection)
    gc.disable()
    try:
        with contextlib.suppress(ResponseTooLarge):
            await ask(connection)
        del connection
        await comes_true(lambda: known() is None)
    finally:
        gc.enable()


async def test_an_error_keeps_neither_content_nor_origin(peer: Peer) -> None:
    """Its traceback refers to the connection for as long as somebody keeps the error."""
    idle = IdleConnections()
    connection, origin = await connected(peer, HttpConnection(idle)), weakref.ref(idle)
    del idle
    peer.sends = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 4096] * 257]
    deadline = asyncio.get_running_loop().time() + 5
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLarge):
            await connection.send(REQUEST, deadline, 1024 * 1024)
        assert origin() is None
        assert tracemalloc.get_traced_memory()[0] < 512 * 1024
    finally:
        tracemalloc.stop()


async def test_bytes_without_a_request(peer: Peer, connection: HttpConnection) -> None:
    """They would be taken for the next response: the connection is not reused."""
    peer.sends = [OK + OK]
    await ask(connection)
    await comes_true(lambda: not connection.reusable)


async def test_a_cancelled_request(peer: Peer, connection: HttpConnection) -> None:
    """Its response, still to come, would be taken for the next one: the connection is closed."""
    peer.sends = []
    asking = asyncio.create_task(ask(connection))
    await comes_true(lambda: bool(peer.requests))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert not connection.reusable


def head(size: int) -> bytes:
    """A whole response without a body, whose head has this size in bytes."""
    start, end = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ", b"\r\n\r\n"
    return start + b"a" * (size - len(start + end)) + end


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


ACCEPTED: dict[str, list[bytes]] = {
    "head": [head(MAX_HEAD_BYTES)],
    "head in pieces": in_pieces(head(MAX_HEAD_BYTES), 997),
    "head with interim responses": [b"HTTP/1.1 103 X\r\n\r\n" * 3_000 + OK],
    "head and body at once": [
        b"HTTP/1.1 200 OK\r\nA: %b\r\nContent-Length: 1000\r\n\r\n" % (b"a" * 64_990) + 1000 * b"x"
    ],
    "trailers": [CHUNKED + b"0\r\nA: ", *in_pieces(b"b" * (MAX_HEAD_BYTES - 8), 997), b"\r\n\r\n"],
    "many trailers": [CHUNKED + b"0\r\n", b"A: b\r\n" * 10_000, b"\r\n"],
    "chunks of a byte": [CHUNKED, *[b"1;" + b"e" * 1000 + b"\r\nx\r\n"] * MAX_BYTES, b"0\r\n\r\n"],
    "no body, with the length of one": [b"HTTP/1.1 304 X\r\nContent-Length: 1001\r\n\r\n"],
}


@pytest.mark.parametrize("part", ACCEPTED)
async def test_the_largest_responses(part: str, peer: Peer, connection: HttpConnection) -> None:
    """What reaches a limit, but does not exceed it, is read, in whatever pieces it comes."""
    peer.sends = ACCEPTED[part]
    for _ in range(2):  # each response has limits of its own
        await ask(connection)
        assert connection.reusable


TOO_LARGE: dict[str, tuple[list[bytes], str]] = {
    "head": ([head(MAX_HEAD_BYTES + 1)], "its head"),
    "head in pieces": (in_pieces(head(MAX_HEAD_BYTES + 1), 997), "its head"),
    "head without an end": ([b"HTTP/1.1 200 OK\r\nA: ", b"a" * MAX_HEAD_BYTES], "its head"),
    "reason without an end": ([b"HTTP/1.1 200 ", b"a" * MAX_HEAD_BYTES], "its head"),
    "nothing but empty lines": ([b"\r\n" * MAX_HEAD_BYTES], "its head"),
    "interim responses": ([b"HTTP/1.1 103 X\r\nA: b\r\n\r\n" * 3_000], "its head"),
    "trailers at once": ([CHUNKED + b"0\r\n" + b"A: b\r\n" * 40_000 + b"\r\n"], "trailer"),
    "one trailer": ([CHUNKED + b"0\r\nA: " + b"b" * MAX_HEAD_BYTES + b"\r\n\r\n"], "trailer"),
    "a trailer without an end": (
        [CHUNKED + b"1\r\nx\r\n0\r\nA: ", b"b" * 8 * MAX_HEAD_BYTES],
        "a trailer",
    ),
    "a chunk's extension": ([CHUNKED + b"1\r\nx\r\n1;", b"e" * 8 * MAX_HEAD_BYTES], "extension"),
    "a chunk's size": ([CHUNKED + b"1\r\nx\r\n", b"0" * 8 * MAX_HEAD_BYTES], "extension"),
    "body": ([CHUNKED, *[b"1\r\nx\r\n"] * (MAX_BYTES + 1)], f"its body has over {MAX_BYTES} b"),
    "the length of the body": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"],
        f"its body has over {MAX_BYTES} b",
    ),
}


@pytest.mark.parametrize("part", TOO_LARGE)
async def test_responses_that_are_too_large(
    part: str, peer: Peer, connection: HttpConnection, idle: list[HttpConnection]
) -> None:
    """A response is given up as soon as it exceeds a limit, though it has not ended."""
    peer.sends, text = TOO_LARGE[part]
    with pytest.raises(ResponseTooLarge, match=text):
        await ask(connection)
    assert not connection.reusable
    assert idle == []


async def test_trailers_are_not_headers(peer: Peer, connection: HttpConnection) -> None:
    """A trailer is dropped: it must not replace a header (RFC 9110, 6.5.1)."""
    peer.sends = [CHUNKED + b"0\r\nTransfer-Encoding: x\r\nA: b\r\n\r\n"]
    assert (await ask(connection)).headers == {"transfer-encoding": "chunked"}


async def test_an_idle_connection_keeps_no_content(peer: Peer, connection: HttpConnection) -> None:
    """While a connection is idle, it does not hold the last response."""
    peer.sends = [CHUNKED, *[b"1000\r\n" + b"x" * 4096 + b"\r\n"] * 256, b"0\r\n\r\n"]
    deadline = asyncio.get_running_loop().time() + 5
    tracemalloc.start()
    try:
        size = len((await connection.send(REQUEST, deadline, 1024 * 1024)).body)
        assert size == 1024 * 1024
        await asyncio.sleep(0)  # the loop lets go of the result, too
        assert tracemalloc.get_traced_memory()[0] < 512 * 1024
    finally:
        tracemalloc.stop()
