"""Server: counters, start and stop, loopback and TLS, and injected faults."""

import asyncio
import contextlib
import gc
import os
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.server import Server
from tests.support.timing.condition import SECONDS, comes_true

NO_ANSWER_SECONDS = 0.1
"""The time for which tests wait for a response that never comes, once its request has arrived."""


class Part:
    """A part of the cloud with three paths that counts what reaches its handler."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.handled = 0
        routes = [web.get("/one", self._get), web.get("/two", self._get)]
        # Clients repeat a GET by themselves if its connection breaks.
        self.server = Server("part", [*routes, web.post("/three", self._get)], tls)

    async def _get(self, request: web.Request) -> web.Response:
        self.handled += 1
        return web.json_response({"path": request.path})


@pytest.fixture
async def part() -> AsyncIterator[Part]:
    part = Part()
    async with part.server:
        yield part


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        yield session


@pytest.fixture
async def secure(authority: CertificateAuthority) -> AsyncIterator[Part]:
    part = Part(authority.server_context())
    async with part.server:
        yield part


async def status(http: aiohttp.ClientSession, part: Part, path: str = "/one") -> int:
    async with http.get(part.server.url + path) as response:
        await response.read()
        return response.status


async def give_up(http: aiohttp.ClientSession, part: Part) -> None:
    """Send a request that must get no response, and end it."""
    calling = asyncio.create_task(status(http, part))
    await comes_true(lambda: part.server.requests["GET /one"] == 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(calling, NO_ANSWER_SECONDS)


async def test_requests_and_connections_are_counted(
    part: Part, http: aiohttp.ClientSession
) -> None:
    """Requests are counted by method and path; a reused connection is counted once."""
    for _ in range(3):
        assert await status(http, part) == 200
    assert await status(http, part, "/missing") == 404
    assert part.server.requests == {"GET /one": 3, "GET /missing": 1}
    assert part.server.connections == 1
    async with aiohttp.ClientSession() as another:
        assert await status(another, part, "/two") == 200
    assert part.server.requests["GET /two"] == 1
    assert part.server.connections == 2


async def test_a_stopped_server_refuses_and_comes_back_on_its_port(
    part: Part, http: aiohttp.ClientSession
) -> None:
    """After a stop callers are refused; a restart takes the same port and serves again."""
    url, port = part.server.url, part.server.port
    assert await status(http, part) == 200
    await part.server.stop()
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await status(http, part)
    assert isinstance(caught.value.os_error, ConnectionRefusedError)
    await part.server.start()
    assert (part.server.url, part.server.port) == (url, port)
    assert await status(http, part) == 200


async def test_a_port_can_be_asked_for(part: Part, http: aiohttp.ClientSession) -> None:
    """`start` listens on the given port."""
    port = part.server.port
    await part.server.stop()
    another = Part()
    await another.server.start(port)
    assert another.server.url == f"http://localhost:{port}"
    assert await status(http, another) == 200
    await another.server.stop()


async def test_stopping_twice_is_harmless(part: Part) -> None:
    """Stopping a stopped server does nothing."""
    await part.server.stop()
    await part.server.stop()


def connect(port: int, authority: CertificateAuthority) -> ssl.SSLSocket:
    """A caller over TLS that has had one answer and now idles."""
    trust = ssl.create_default_context(cafile=str(authority.path))
    plain = socket.create_connection(("localhost", port), timeout=SECONDS)
    caller = trust.wrap_socket(plain, server_hostname="localhost")
    caller.sendall(b"GET /one HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b'{"path": "/one"}'):
        answer += caller.recv(4096)
    return caller


def read_to_the_end(caller: ssl.SSLSocket) -> None:
    """Read what TCP brings, without TLS answering to it.

    Raises:
        TimeoutError: the other side does not close the connection.
    """
    with caller, socket.socket(fileno=os.dup(caller.fileno())) as plain:
        plain.settimeout(SECONDS)
        with contextlib.suppress(ConnectionResetError):
            while plain.recv(4096):
                pass


async def test_a_stop_closes_open_connections(
    secure: Part, authority: CertificateAuthority
) -> None:
    """An idle TCP connection ends when the server stops; TLS does not wait for the caller."""
    caller = await asyncio.to_thread(connect, secure.server.port, authority)
    await secure.server.stop()
    await asyncio.to_thread(read_to_the_end, caller)


async def test_only_loopback_listens(part: Part) -> None:
    """Another address of this machine is not served."""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", part.server.port)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_callers_who_trust_the_authority_connect(
    secure: Part, authority: CertificateAuthority, host: str
) -> None:
    """The server's certificate is valid for localhost and 127.0.0.1."""
    trust = ssl.create_default_context(cafile=str(authority.path))
    trust.hostname_checks_common_name = False
    connector = aiohttp.TCPConnector(ssl=trust)
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.get(f"https://{host}:{secure.server.port}/one") as response,
    ):
        assert response.status == 200
    assert secure.server.url == f"https://localhost:{secure.server.port}"


async def test_callers_who_do_not_trust_the_authority_refuse(secure: Part, tmp_path: Path) -> None:
    """Another authority's certificate does not verify the server's."""
    stranger = CertificateAuthority(tmp_path)
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(stranger.path)))
    async with aiohttp.ClientSession(connector=connector) as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status(http, secure)
    assert secure.handled == 0


async def test_latency_delays_the_answer(part: Part, http: aiohttp.ClientSession) -> None:
    """A request waits before its handler runs, then gets the real answer."""
    part.server.faults.set(latency=60)
    await give_up(http, part)
    assert part.handled == 0
    part.server.faults.set(latency=0.01)
    assert await status(http, part) == 200
    assert part.handled == 1


async def test_a_status_takes_the_place_of_the_answer(
    part: Part, http: aiohttp.ClientSession
) -> None:
    """A faulty status comes with Retry-After and JSON, and its handler does not run."""
    part.server.faults.set(status=429, retry_after=7)
    async with http.get(f"{part.server.url}/one") as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "7"
        assert (await response.json())["error"] == "fault"
    assert part.handled == 0
    assert part.server.requests["GET /one"] == 1


async def test_a_fault_can_be_an_html_page(part: Part, http: aiohttp.ClientSession) -> None:
    """With `html` the body is an HTML page, as a proxy's."""
    part.server.faults.set(status=503, html=True)
    async with http.get(f"{part.server.url}/one") as response:
        assert response.status == 503
        assert response.content_type == "text/html"
        assert "Retry-After" not in response.headers
        assert (await response.text()).startswith("<html>")


async def test_a_fault_can_have_a_body(part: Part, http: aiohttp.ClientSession) -> None:
    """The given JSON text is sent as it is."""
    part.server.faults.set(status=200, body='{"value": [')
    async with http.get(f"{part.server.url}/one") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.text() == '{"value": ['


async def test_a_fault_can_have_an_endless_body(part: Part, http: aiohttp.ClientSession) -> None:
    """Status and the first bytes arrive; the body has no end."""
    part.server.faults.set(status=200, endless=True)
    async with http.get(f"{part.server.url}/one") as response:
        assert response.status == 200
        assert await response.content.read(1) == b" "
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.read(), NO_ANSWER_SECONDS)


@pytest.mark.parametrize("handled", [False, True])
async def test_a_cut_connection(part: Part, http: aiohttp.ClientSession, handled: bool) -> None:
    """The client gets no response; the request was handled if the switch says so."""
    part.server.faults.set(cut=True, handled=handled)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post(f"{part.server.url}/three")
    assert part.handled == (1 if handled else 0)


async def test_a_handled_request_can_get_a_faulty_status(
    part: Part, http: aiohttp.ClientSession
) -> None:
    """The response says that it failed, but it did not."""
    part.server.faults.set(status=500, handled=True)
    assert await status(http, part) == 500
    assert part.handled == 1


async def test_a_silent_server_never_answers(part: Part, http: aiohttp.ClientSession) -> None:
    """The request is counted, but gets no response until the fault is cleared."""
    part.server.faults.set(silent=True)
    await give_up(http, part)
    assert part.server.requests["GET /one"] == 1
    part.server.faults.clear()
    assert await status(http, part) == 200
    assert part.handled == 1


async def test_a_silent_request_ends_when_its_caller_gives_up(
    part: Part, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Its handler ends too; it is not garbage collected as a pending task."""
    before = asyncio.all_tasks()
    part.server.faults.set(silent=True)
    await give_up(http, part)
    await comes_true(lambda: asyncio.all_tasks() == before)
    gc.collect()
    assert "Task was destroyed" not in caplog.text


async def test_a_stop_ends_a_silent_request(part: Part, http: aiohttp.ClientSession) -> None:
    """Stopping the server closes the connection of a request without a response."""
    part.server.faults.set(silent=True)
    waiting = asyncio.create_task(status(http, part))
    async with asyncio.timeout(30):
        while not part.server.requests:  # noqa: ASYNC110  # a counter has no event to wait for
            await asyncio.sleep(0)
        await part.server.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await waiting


@pytest.mark.parametrize(
    ("switches", "statuses"),
    [
        ({}, [500, 500, 500, 500]),
        ({"remaining": 2}, [500, 500, 200, 200]),
        ({"remaining": 0}, [200, 200, 200, 200]),
        ({"every": 2}, [200, 500, 200, 500]),
        ({"every": 2, "remaining": 1}, [200, 500, 200, 200]),
    ],
)
async def test_some_requests_are_faulty(
    part: Part, http: aiohttp.ClientSession, switches: dict[str, Any], statuses: list[int]
) -> None:
    """`remaining` ends the fault after so many requests; `every` skips those in between."""
    part.server.faults.set(status=500, **switches)
    assert [await status(http, part) for _ in statuses] == statuses
    assert part.handled == statuses.count(200)


async def test_a_fault_can_be_of_one_path(part: Part, http: aiohttp.ClientSession) -> None:
    """Other paths and queries are served, and do not use up `remaining`."""
    part.server.faults.set(status=500, path="/two?x=", remaining=1)
    paths = ["/one", "/two", "/two?x=1", "/two?x=1"]
    assert [await status(http, part, path) for path in paths] == [200, 200, 500, 200]


async def test_setting_a_fault_replaces_the_one_before(
    part: Part, http: aiohttp.ClientSession
) -> None:
    """`set` resets the switches that are not given."""
    part.server.faults.set(status=500, path="/two", every=3)
    part.server.faults.set(status=503)
    assert await status(http, part) == 503
    part.server.faults.clear()
    assert await status(http, part) == 200


async def test_an_unknown_switch_is_an_error(part: Part) -> None:
    """A misspelled switch raises TypeError, and changes nothing."""
    part.server.faults.set(status=500)
    with pytest.raises(TypeError):
        part.server.faults.set(latancy=1)
    assert part.server.faults.status == 500


async def test_a_restart_waits_for_its_port() -> None:
    """An outgoing connection of another program may have taken it meanwhile."""
    server = Server("test", [])
    await server.start()
    port = server.port
    await server.stop()
    with socket.socket() as other:
        other.bind((LOOPBACK, port))
        other.listen()
        starting = asyncio.create_task(server.start())
        await asyncio.wait({starting}, timeout=0.1)
        assert not starting.done()
    await starting
    assert server.port == port
    await server.stop()
