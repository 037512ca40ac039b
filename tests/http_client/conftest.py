"""Fixtures of the tests of the HTTP client: a pool, and the servers that it calls."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.server import Server
from http_client.pool import HttpPool
from tests.support.wire.fickle_service import FickleService


async def document(request: web.Request) -> web.Response:
    """As many bytes as the query says; the response counts the request's cookies."""
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


async def echo(request: web.Request) -> web.Response:
    """The request's body, late for every second request."""
    body = await request.read()
    if body.endswith((b"1", b"3", b"5", b"7", b"9")):
        await asyncio.sleep(0)
    return web.Response(body=body)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Serves documents over plain HTTP."""
    routes = [
        web.get("/document", document),
        web.get("/moved", moved),
        web.get("/stream", stream),
        web.post("/echo", echo),
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


@pytest.fixture(params=["http", "https"])
async def fickle(
    request: pytest.FixtureRequest,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FickleService]:
    """A service that closes idle connections, without and with TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    tls: ssl.SSLContext | None = authority.server_context() if request.param == "https" else None
    async with FickleService(tls) as service:
        yield service


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """Signs the service's certificate."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))
