"""HttpPool: requests and documents, and what it refuses to send."""

import asyncio
import gc
import gzip
import tracemalloc
from collections.abc import Iterator

import pytest
from aiohttp import web

from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.server import Server
from http_client.pool import (
    MAX_RESPONSE_BYTES,
    ConnectFailed,
    HttpPool,
    IdleConnections,
    ResponseLost,
    ResponseTooLarge,
    Timeouts,
)
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.fickle_service import FickleService

BOMB = gzip.compress(b"\0" * 4 * MAX_RESPONSE_BYTES)


async def bomb(_: web.Request) -> web.Response:
    """A small body that unpacks to a large one."""
    return web.Response(body=BOMB, headers={"Content-Encoding": "gzip"})


def test_nothing_is_opened_at_first() -> None:
    """The pool can be created outside of an event loop."""
    HttpPool()


async def test_connections_are_reused(pool: HttpPool, server: Server) -> None:
    """Sequential requests share one connection."""
    for _ in range(5):
        assert await pool.get_document(f"{server.url}/document") == b"xxx"
    assert server.connections == 1


async def test_many_at_once(pool: HttpPool, server: Server) -> None:
    """Concurrent requests get their own responses on shared connections."""

    async def ask(worker: int) -> None:
        for number in range(100):
            body = f"{worker} {number}".encode()
            assert (await pool.request("POST", f"{server.url}/echo", {}, body)).body == body

    async with asyncio.timeout(30):
        await asyncio.gather(*(ask(worker) for worker in range(16)))
    assert server.connections <= 16


async def test_close(pool: HttpPool, server: Server) -> None:
    """It ends idle connections and a request under way; later requests are not sent."""
    await pool.get_document(f"{server.url}/document")
    endless = asyncio.create_task(pool.request("GET", f"{server.url}/stream"))
    await comes_true(lambda: server.requests["GET /stream"] == 1)
    await pool.close()
    with pytest.raises(ConnectionError):
        await endless
    with pytest.raises(ConnectFailed):
        await pool.get_document(f"{server.url}/document")
    await pool.close()


async def test_close_while_connecting(pool: HttpPool, server: Server) -> None:
    """A connection that opens only after the client was closed is closed, too."""
    request = asyncio.create_task(pool.request("GET", f"{server.url}/document"))
    await asyncio.sleep(0)  # it looks up the host's address
    await pool.close()
    with pytest.raises(ConnectFailed) as failure:
        await request
    assert isinstance(failure.value.__cause__, ConnectionAbortedError)


async def test_redirects(pool: HttpPool, server: Server) -> None:
    """A redirect is an error, and is not followed."""
    with pytest.raises(OSError, match="answered 302"):
        await pool.get_document(f"{server.url}/moved")
    assert server.requests["GET /document"] == 0


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 429, 500, 503])
async def test_other_statuses(status: int, pool: HttpPool, server: Server) -> None:
    """Any status but 200 is an error."""
    server.faults.set(status=status)
    with pytest.raises(OSError, match=f"answered {status}"):
        await pool.get_document(f"{server.url}/document")


async def test_the_maximum_document_size(pool: HttpPool, server: Server) -> None:
    """A document of the maximum size is read whole; one byte more is too large."""
    url = f"{server.url}/document?size={MAX_RESPONSE_BYTES}"
    assert len(await pool.get_document(url)) == MAX_RESPONSE_BYTES
    with pytest.raises(OSError, match="too large"):
        await pool.get_document(f"{server.url}/document?size={MAX_RESPONSE_BYTES + 1}")


async def test_a_response_that_is_too_large_is_not_requested_again(
    pool: HttpPool, server: Server
) -> None:
    """On a reused connection, too: it would be as large again."""
    await pool.get_document(f"{server.url}/document")
    with pytest.raises(ResponseTooLarge):
        await pool.get_document(f"{server.url}/document?size={MAX_RESPONSE_BYTES + 1}")
    assert server.requests["GET /document"] == 2


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory is traced."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
async def test_an_origin_goes_with_its_last_connection(pool: HttpPool) -> None:
    """The pool remembers nothing of an origin to which it has no connection."""

    async def fail(numbers: range) -> int:
        for number in numbers:
            with pytest.raises(ConnectFailed):
                await pool.get_document(f"http://{number:0>9000}./")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    known = await fail(range(300))  # the standard library caches the last URLs
    assert await fail(range(300, 600)) < known + 300_000


async def test_an_error_keeps_no_origin(pool: HttpPool) -> None:
    """Its traceback refers to all that was under way, for as long as somebody keeps the error."""
    with pytest.raises(ConnectFailed) as failure:
        await pool.get_document(f"http://{LOOPBACK}:1/")
    gc.collect()  # what other tests have left
    assert not any(type(found) is IdleConnections for found in gc.get_objects())
    assert failure.value.__cause__


async def test_a_document_that_grows(pool: HttpPool, server: Server) -> None:
    """A document of unknown length is read up to the maximum size."""
    with pytest.raises(OSError, match="too large"):
        await pool.get_document(f"{server.url}/stream")


async def test_nothing_is_decompressed(pool: HttpPool) -> None:
    """No compression is requested, and a compressed body is not unpacked, even if it is a bomb."""
    async with FickleService() as service:
        service.otherwise = bomb
        assert await pool.get_document(service.url) == BOMB
        assert service.seen[0].headers["Accept-Encoding"] == "identity"


async def test_a_closed_port(pool: HttpPool, server: Server) -> None:
    """A refused connection is one error, with the URL."""
    await server.stop()
    with pytest.raises(OSError, match=f"{server.url} cannot be reached"):
        await pool.get_document(f"{server.url}/document")


@pytest.mark.parametrize(
    "url", ["", "no url", "ftp://localhost/", "http://[", "http://a..b/", "http://localhost:x/"]
)
async def test_not_a_url(url: str, pool: HttpPool) -> None:
    """A request to an invalid URL is a failed connection."""
    with pytest.raises(ConnectFailed, match="cannot be reached"):
        await pool.get_document(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://user@{}/", "http://user:word@{}/", "http://{}@{}/", "http://{}#part"),
        *("http://{}/#part", "http://{}/a b", "http://{} /", "http://{}/\u00e9"),
        *("http://{}/\r\nX: y", "http://{}/\n", " http://{}/", "http://{}\\document"),
    ],
)
async def test_an_ambiguous_url(url: str, pool: HttpPool, server: Server) -> None:
    """Nothing is sent to a URL that parsers read in different ways."""
    with pytest.raises(ConnectFailed, match="cannot be reached"):
        await pool.get_document(url.replace("{}", f"localhost:{server.port}"))
    assert server.requests.total() == 0


@pytest.mark.parametrize(
    "header", [{"X": "a\r\nY: b"}, {"X\nY": "b"}, {"X": "a\r"}, {"X": "\u20ac"}]
)
async def test_headers_that_cannot_be_sent(
    header: dict[str, str], pool: HttpPool, server: Server
) -> None:
    """Nothing is sent with a header that spans two lines or is not Latin-1."""
    with pytest.raises(ConnectFailed, match="header"):
        await pool.request("GET", f"{server.url}/document", header)
    assert server.requests.total() == 0


@pytest.mark.parametrize("timeouts", [Timeouts(5, 0.05, 5), Timeouts(5, 5, 0.05)], ids=str)
async def test_a_silent_server(timeouts: Timeouts, pool: HttpPool, server: Server) -> None:
    """A server that never responds ends the request at the first timeout."""
    url = f"{server.url}/document"
    await pool.get_document(url)  # so that connecting is no part of the time
    server.faults.set(silent=True)
    async with asyncio.timeout(4):
        with pytest.raises(ResponseLost, match="late"):
            await pool.request("GET", url, timeouts=timeouts)


@pytest.mark.parametrize("timeouts", [Timeouts(30, 999, 999), Timeouts(999, 999, 30)], ids=str)
async def test_silence_in_the_handshake(
    timeouts: Timeouts, pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connecting ends in time even when the server never answers the TLS handshake."""
    clock = MovedClock(monkeypatch)
    greeted, gone = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(say_nothing, LOOPBACK, 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        url = f"https://{LOOPBACK}:{port}/"
        asking = asyncio.create_task(pool.request("GET", url, timeouts=timeouts))
        await greeted.wait()  # so that no part of the time is for what comes before
        clock.move(30)  # the event loop itself gives a handshake 60 seconds
        async with asyncio.timeout(15):
            with pytest.raises(ConnectFailed, match="cannot be reached"):
                await asking
            await gone.wait()


async def test_cookies_are_not_stored(pool: HttpPool, server: Server) -> None:
    """No request carries a cookie that a response has set."""
    for _ in range(2):
        response = await pool.request("GET", f"{server.url}/document")
        assert response.headers["x-cookies"] == "0"


async def test_proxy_settings_are_ignored(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy receives no request."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert await pool.get_document(f"{server.url}/document") == b"xxx"
