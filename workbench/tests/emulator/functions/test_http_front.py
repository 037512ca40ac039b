"""HttpFront: how it answers requests that common clients do not send."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot_workbench.emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.timing.condition import SECONDS, comes_true

GET = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def answer(request: HttpRequest) -> HttpResponse:
    """The target and the body; the first of several requests takes longest."""
    if request.target == "/nothing":
        return HttpResponse(204)
    for _ in range(9 - int(request.target[1:] or 0)):
        await asyncio.sleep(0)
    return HttpResponse(200, {"X-Method": request.method}, request.target.encode() + request.body)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where the front listens."""
    front = HttpFront(answer)
    await front.start()
    yield front.port
    await front.stop(0.1)


async def answered(port: int, request: bytes) -> bytes:
    """Everything that is sent back until the front closes the connection."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(request)
    everything = await reader.read()
    writer.close()
    return everything


LAST = b"GET /9 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def test_requests_sent_together(port: int) -> None:
    """Pipelined requests are answered in order; the connection closes when the caller asks."""
    found = await answered(port, GET % 1 + GET % 2 + LAST)
    places = [found.index(b"\r\n\r\n/%d" % number) for number in (1, 2, 9)]
    assert places == sorted(places)
    assert found.count(b"HTTP/1.1 200 OK") == 3
    assert found.endswith(b"Connection: close\r\n\r\n/9")


async def test_a_body_in_chunks(port: int) -> None:
    """The chunks are joined, and what follows is the next request."""
    chunked = (
        b"POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )
    found = await answered(port, chunked + LAST)
    assert b"\r\n\r\n/1abcHTTP/1.1 200" in found


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: \xff\r\n\r\n", b"GET\r\n\r\n"]
)
async def test_invalid_request(request_: bytes, port: int) -> None:
    """What is not HTTP, or not text, is answered 400, and the connection is closed."""
    assert (await answered(port, request_)).startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_answers_without_a_body(port: int) -> None:
    """HEAD is answered with the body's length alone, 204 with neither."""
    head = await answered(port, b"HEAD /9 HTTP/1.1\r\n\r\n" + LAST.replace(b"GET", b"HEAD"))
    assert head.count(b"Content-Length: 2") == 2
    assert b"/9" not in head
    nothing = await answered(port, b"GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b"Content-Length" not in nothing


async def test_stop_lets_requests_finish() -> None:
    """Idle connections are closed, nobody can connect, and what runs is answered."""
    may_end = asyncio.Event()

    async def held(request: HttpRequest) -> HttpResponse:
        if request.target == "/9":
            await may_end.wait()
        return HttpResponse(204)

    front = HttpFront(held)
    await front.start()
    idle, idle_writer = await asyncio.open_connection(LOOPBACK, front.port)
    idle_writer.write(GET % 1)
    await idle.readuntil(b"\r\n\r\n")
    busy, busy_writer = await asyncio.open_connection(LOOPBACK, front.port)
    busy_writer.write(GET % 9)
    await comes_true(lambda: len(front.running) == 1)
    stopping = asyncio.create_task(front.stop(60))
    async with asyncio.timeout(SECONDS):
        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(LOOPBACK, front.port)
        assert not stopping.done()
        may_end.set()
        assert b"Connection: close" in await busy.read()
        await stopping
    idle_writer.close()
    busy_writer.close()
