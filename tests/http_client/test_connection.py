"""HttpConnection: answers in every framing, and what can go wrong on one connection."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable

import pytest

from emulator.loopback import LOOPBACK
from http_client.connection import ConnectFailed, HttpAnswer, HttpConnection, ResponseLost

LARGEST = 1000
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server that says what it is told to whatever comes.

    Attributes:
        says: the answer to each request; its pieces are sent one by one.
        closes: it closes after that.
        requests: what came.
    """

    def __init__(self) -> None:
        self.says: list[bytes] = [OK]
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

    async def hang_up(self) -> None:
        """Close every connection, once there is one."""
        await _until(lambda: bool(self._writers))
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        while not writer.is_closing():
            try:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            for piece in self.says:
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
async def connection(peer: Peer) -> AsyncIterator[HttpConnection]:
    """A connection to the peer."""
    port = await peer.start()
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: HttpConnection([]), LOOPBACK, port)
    yield connection
    connection.close()


async def ask(connection: HttpConnection, seconds: float = 5.0) -> HttpAnswer:
    """Send a request that must be answered in so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    return await connection.send(REQUEST, deadline, LARGEST)


FRAMES: dict[str, tuple[list[bytes], bytes]] = {
    "length": ([OK], b"ok"),
    "byte by byte": ([bytes([byte]) for byte in OK], b"ok"),
    "chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"0\r\n\r\n"],
        b"ok",
    ),
    "no content": ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
    "after an interim answer": ([b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK], b"ok"),
    "empty": ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], b""),
}


@pytest.mark.parametrize("frame", FRAMES)
async def test_frames(frame: str, peer: Peer, connection: HttpConnection) -> None:
    """Each framing that a server may choose is read to its end, and the connection kept."""
    peer.says, body = FRAMES[frame]
    for _ in range(3):
        answer = await ask(connection)
        assert answer.body == body
        assert answer.status in (200, 204)
        assert connection.reusable
    assert len(peer.requests) == 3


async def test_headers(peer: Peer, connection: HttpConnection) -> None:
    """Names are in lower case, and those of one answer are not in the next."""
    peer.says = [b"HTTP/1.1 429 X\r\nRETRY-after: 7\r\nContent-Length: 0\r\n\r\n"]
    assert (await ask(connection)).headers == {"retry-after": "7", "content-length": "0"}
    peer.says = [OK]
    assert (await ask(connection)).headers == {"content-length": "2"}


async def test_until_the_end(peer: Peer, connection: HttpConnection) -> None:
    """A body without a length ends with the connection (RFC 9112, 6.3), which is used up."""
    peer.says, peer.closes = [b"HTTP/1.1 200 OK\r\n\r\n", b"o", b"k"], True
    assert (await ask(connection)).body == b"ok"
    assert not connection.reusable


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"HTTP/1.0 200 OK\r\n"]
)
async def test_not_kept(head: bytes, peer: Peer, connection: HttpConnection) -> None:
    """A connection that the server will close is not used again."""
    peer.says = [head + b"Content-Length: 2\r\n\r\nok"]
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
async def test_broken_answers(
    broken: list[bytes],
    peer: Peer,
    connection: HttpConnection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Cut off, no HTTP, two lengths, or too large: no answer, and the connection is closed."""
    peer.says, peer.closes = broken, True
    with pytest.raises(ResponseLost):
        await ask(connection)
    assert not connection.reusable
    assert caplog.messages == []  # the event loop would tell of an error that it had to catch


async def test_too_late(peer: Peer, connection: HttpConnection) -> None:
    """What has not been answered in time will not be, whatever came of it."""
    peer.says = [OK[:-1]]
    with pytest.raises(ResponseLost, match="late"):
        await ask(connection, seconds=0.02)
    assert not connection.reusable


async def test_each_request_has_its_own_time(peer: Peer, connection: HttpConnection) -> None:
    """A connection's idle time, which is long, does not stretch the next request's."""
    await ask(connection, seconds=60)
    peer.says = [OK[:-1]]
    with pytest.raises(ResponseLost, match="late"):
        await ask(connection, seconds=0.02)


async def test_an_answer_at_the_deadline(peer: Peer, connection: HttpConnection) -> None:
    """An answer in the same iteration of the event loop as the deadline is taken."""
    peer.says = []
    asking = asyncio.create_task(ask(connection, seconds=0))
    await asyncio.sleep(0)
    connection.data_received(OK)
    assert (await asking).body == b"ok"
    assert connection.reusable


async def test_closed_before_the_request(peer: Peer, connection: HttpConnection) -> None:
    """A request over a connection that the server has closed fails at once; nothing is sent."""
    await peer.hang_up()
    await _until(lambda: connection._transport is None or connection._transport.is_closing())
    with pytest.raises(ConnectFailed, match="closed before"):
        await ask(connection)
    assert peer.requests == []


async def test_idle_for_long(connection: HttpConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody uses is closed in the end."""
    monkeypatch.setattr("http_client.connection.IDLE_TIMEOUT", 0.02)
    await ask(connection)
    await _until(lambda: not connection.reusable)


async def test_nothing_is_left_of_it(peer: Peer) -> None:
    """A closed connection is gone at once, without the garbage collector: its buffers are large."""
    port = await peer.start()
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: HttpConnection([]), LOOPBACK, port)
    await ask(connection)
    known = weakref.ref(connection)
    gc.disable()
    try:
        connection.close()
        del connection, _
        await _until(lambda: known() is None)
    finally:
        gc.enable()


async def test_bytes_that_nobody_asked_for(peer: Peer, connection: HttpConnection) -> None:
    """They would be taken for the next request's answer: the connection is of no more use."""
    peer.says = [OK + OK]
    await ask(connection)
    await _until(lambda: not connection.reusable)


async def test_a_caller_that_goes_away(peer: Peer, connection: HttpConnection) -> None:
    """The answer that is still to come would be taken for the next one's."""
    peer.says = []
    asking = asyncio.create_task(ask(connection))
    await _until(lambda: bool(peer.requests))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert not connection.reusable


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  # what the other end does has no event
            await asyncio.sleep(0.001)
