"""HttpPool: one client for the process, which keeps connections and trusts nobody's directions."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from auth.http_pool import LARGEST_DOCUMENT, HttpPool
from emulator.server import LOOPBACK, Server


async def document(request: web.Request) -> web.Response:
    """As many bytes as the query says; tells which cookies came."""
    headers = {"X-Cookies": str(len(request.cookies)), "Set-Cookie": "a=b"}
    return web.Response(body=b"x" * int(request.query.get("size", "3")), headers=headers)


async def moved(_: web.Request) -> web.Response:
    """A redirect, to this server."""
    raise web.HTTPFound("/document")


async def stream(request: web.Request) -> web.StreamResponse:
    """A document without a length, which does not end by itself."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def bomb(_: web.Request) -> web.Response:
    """A small body that unpacks to a large one."""
    body = gzip.compress(b"\0" * 4 * LARGEST_DOCUMENT)
    assert len(body) < LARGEST_DOCUMENT // 100
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Serves documents over plain HTTP."""
    routes = [
        web.get("/document", document),
        web.get("/moved", moved),
        web.get("/stream", stream),
        web.get("/bomb", bomb),
    ]
    server = Server("documents", routes)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    pool = HttpPool()
    yield pool
    await pool.close()


def test_nothing_is_opened_at_first() -> None:
    """The pool may be made outside of an event loop: the client is made on first use."""
    HttpPool()


async def test_connections_are_kept(pool: HttpPool, server: Server) -> None:
    """Document after document goes over one connection."""
    for _ in range(5):
        assert await pool.get_document(f"{server.url}/document") == b"xxx"
    assert server.connections == 1
    assert pool.session is pool.session


async def test_close(pool: HttpPool, server: Server) -> None:
    """A closed pool has no connection, and opens new ones when it is used again."""
    await pool.close()
    await pool.get_document(f"{server.url}/document")
    session = pool.session
    await pool.close()
    assert session.closed
    await pool.get_document(f"{server.url}/document")
    assert server.connections == 2


async def test_redirects(pool: HttpPool, server: Server) -> None:
    """A redirect is no document, and not followed."""
    with pytest.raises(OSError, match="answered 302"):
        await pool.get_document(f"{server.url}/moved")
    assert server.requests["GET /document"] == 0


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 429, 500, 503])
async def test_other_answers(status: int, pool: HttpPool, server: Server) -> None:
    """Nothing but 200 is a document."""
    server.faults.set(status=status)
    with pytest.raises(OSError, match=f"answered {status}"):
        await pool.get_document(f"{server.url}/document")


async def test_the_largest_document(pool: HttpPool, server: Server) -> None:
    """A document of the largest size is read whole; one byte more is too many."""
    url = f"{server.url}/document?size={LARGEST_DOCUMENT}"
    assert len(await pool.get_document(url)) == LARGEST_DOCUMENT
    with pytest.raises(OSError, match="too large"):
        await pool.get_document(f"{server.url}/document?size={LARGEST_DOCUMENT + 1}")


@pytest.mark.parametrize("path", ["stream", "bomb"])
async def test_documents_that_grow(path: str, pool: HttpPool, server: Server) -> None:
    """Reading ends at the largest size, whatever the length said, and packed or not."""
    with pytest.raises(OSError, match="too large"):
        await pool.get_document(f"{server.url}/{path}")


async def test_a_closed_port(pool: HttpPool, server: Server) -> None:
    """A server that is not there is told as one error, with the URL."""
    await server.stop()
    with pytest.raises(OSError, match=f"{server.url}/document cannot be reached"):
        await pool.get_document(f"{server.url}/document")


@pytest.mark.parametrize("url", ["", "no url", "ftp://localhost/", "http://[", "http://a..b/"])
async def test_not_a_url(url: str, pool: HttpPool) -> None:
    """So is something that is no URL of a document."""
    with pytest.raises(OSError, match="cannot be reached"):
        await pool.get_document(url)


async def test_a_silent_server(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes requests and never answers is given up on."""
    monkeypatch.setattr("auth.http_pool.TOTAL_TIMEOUT", 0.05)
    server.faults.set(silent=True)
    async with asyncio.timeout(5) as bound:
        with pytest.raises(TimeoutError):
            await pool.get_document(f"{server.url}/document")
    assert not bound.expired()


async def test_silence_in_the_handshake(pool: HttpPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting ends in time even when the port is open and TLS is never answered."""
    monkeypatch.setattr("auth.http_pool.CONNECT_TIMEOUT", 0.05)
    gone = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    silent = await asyncio.start_server(say_nothing, LOOPBACK, 0)
    port = silent.sockets[0].getsockname()[1]
    async with asyncio.timeout(5):
        with pytest.raises(OSError, match="cannot be reached"):
            await pool.get_document(f"https://localhost:{port}/")
        await gone.wait()
    silent.close()
    await silent.wait_closed()


async def test_cookies_are_not_kept(pool: HttpPool, server: Server) -> None:
    """What one answer sets, no later request brings."""
    for _ in range(2):
        async with pool.session.get(f"{server.url}/document", allow_redirects=False) as response:
            assert response.headers["X-Cookies"] == "0"


async def test_proxy_settings_are_not_read(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy gets no request."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert await pool.get_document(f"{server.url}/document") == b"xxx"
