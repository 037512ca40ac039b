"""HttpUpstream: requests and answers are forwarded as they are."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot_workbench.emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream
from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.timing.loop_turns import settled


class RecordingServer(HttpFront):
    """The server behind: it records requests, and answers with `response`."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.requests: list[HttpRequest] = []
        self.response = HttpResponse(200)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return self.response


@pytest.fixture
async def behind() -> AsyncIterator[RecordingServer]:
    """A server that listens."""
    server = RecordingServer()
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def upstream(behind: RecordingServer) -> AsyncIterator[HttpUpstream]:
    """Its upstream."""
    upstream = HttpUpstream(behind.port)
    yield upstream
    upstream.close()


REQUESTS = [
    HttpRequest(
        "GET", "/a%2Fb?c=d&&e#f", {"host": "example:1", "x": "", "y": "gr\u00fc\u00df"}, b""
    ),
    HttpRequest("POST", "//x", {"content-length": "3"}, b"\x00\xff\n"),
    HttpRequest("POST", "/", {"transfer-encoding": "chunked"}, b"in one chunk"),
    HttpRequest("POST", "/", {"transfer-encoding": "chunked"}, b""),
    HttpRequest("PUT", "/", {"expect": "100-continue", "content-length": "1"}, b"x"),
    HttpRequest("OPTIONS", "*", {"connection": "close"}, b""),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: f"{each.method} {each.target}")
async def test_request_arrives_as_it_was(
    behind: RecordingServer, upstream: HttpUpstream, request_: HttpRequest
) -> None:
    """Method, target, headers and body are the same, twice in a row."""
    for _ in range(2):
        assert (await upstream.send(request_)).status == 200
    assert behind.requests == [request_, request_]


RESPONSES = [
    HttpResponse(
        201, {"Content-Type": "image/png", "X-A": "gr\u00fc\u00df", "x-b": ""}, bytes(range(256))
    ),
    HttpResponse(204, {"X-A": "1"}),
    HttpResponse(304),
    HttpResponse(500),
    HttpResponse(200, {}, bytes(1_000_000)),
]


@pytest.mark.parametrize("response", RESPONSES, ids=lambda each: each.status)
async def test_response_comes_back_as_it_was(
    behind: RecordingServer, upstream: HttpUpstream, response: HttpResponse
) -> None:
    """Status, headers and body are the same; what the front writes itself is left out."""
    behind.response = response
    assert await upstream.send(HttpRequest("GET", "/", {}, b"")) == response


async def test_answer_to_head_keeps_its_length(
    behind: RecordingServer, upstream: HttpUpstream
) -> None:
    """The body of an answer to HEAD is not sent, its length is what the front will write."""
    behind.response = HttpResponse(200, {}, b"four")
    for _ in range(2):
        response = await upstream.send(HttpRequest("HEAD", "/", {}, b""))
        assert len(response.body) == 4


async def test_connection_is_used_again(behind: RecordingServer, upstream: HttpUpstream) -> None:
    """Requests one after another share a connection, requests at once do not."""
    request = HttpRequest("GET", "/", {}, b"")
    for _ in range(3):
        await upstream.send(request)
    assert len(behind.connections) == 1
    await asyncio.gather(*(upstream.send(request) for _ in range(3)))
    assert len(behind.connections) == 3


async def test_server_that_closes_over_a_request_is_an_error() -> None:
    """A connection that is lost before the answer is an error, and so is a server that is gone."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, LOOPBACK, 0)
    gone = HttpUpstream(server.sockets[0].getsockname()[1])
    request = HttpRequest("GET", "/", {}, b"")
    with pytest.raises(ConnectionResetError):
        await gone.send(request)
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await gone.send(request)


async def test_idle_connection_that_was_closed_is_replaced(behind: RecordingServer) -> None:
    """A server that is restarted at its port gets the next request on a new connection."""
    upstream = HttpUpstream(behind.port)
    request = HttpRequest("GET", "/", {}, b"")
    await upstream.send(request)
    await behind.stop(0)
    await behind.start(behind.port)
    await settled()  # client and server share this loop: let it read the connection's end
    assert (await upstream.send(request)).status == 200
    upstream.close()
