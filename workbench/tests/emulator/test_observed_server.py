"""Server and Cloud: who observes them sees each request once, faulty ones too; else nobody does."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.server import Exchange, Server
from tests.support.timing.condition import comes_true


async def answer(request: web.Request) -> web.Response:
    """Answer with what was sent."""
    if request.query.get("fail"):
        raise web.HTTPConflict(text="no")
    return web.json_response(await request.json(), status=201)


@pytest.fixture
def exchanges() -> list[Exchange]:
    """The events that the observer has seen."""
    return []


@pytest.fixture
async def server(exchanges: list[Exchange]) -> AsyncIterator[Server]:
    """An observed server."""
    server = Server("part", [web.post("/one/{name}", answer)])
    server.observer = exchanges.append
    async with server:
        yield server


async def post(server: Server, path: str, body: Any) -> int:
    """The status of a request; 0: the connection ended."""
    async with aiohttp.ClientSession(server.url) as session:
        try:
            async with session.post(path, json=body) as response:
                return response.status
        except aiohttp.ClientError:
            return 0


async def test_an_exchange(server: Server, exchanges: list[Exchange]) -> None:
    """An exchange has request and response, its time and how long it took."""
    before = time.time()
    assert await post(server, "/one/a%7Cb?x=%C3%A9", {"a": 1}) == 201
    (seen,) = exchanges
    assert (seen.server, seen.method, seen.path, seen.query) == ("part", "POST", "/one/a|b", "x=é")
    assert (seen.request, seen.response, seen.status) == (b'{"a": 1}', b'{"a": 1}', 201)
    assert before <= seen.at <= time.time()
    assert seen.ms >= 0


async def test_refusals_and_faults(server: Server, exchanges: list[Exchange]) -> None:
    """A refusal, a faulty status and a cut connection are exchanges, too; the body is passed on."""
    assert await post(server, "/one/a?fail=yes", {}) == 409
    server.faults.set(status=429, handled=True)
    assert await post(server, "/one/a", {"a": 1}) == 429
    server.faults.set(cut=True)
    assert await post(server, "/one/a", {}) == 0
    server.faults.set(silent=True)
    task = asyncio.create_task(post(server, "/one/a", {}))
    await comes_true(lambda: server.requests.total() == 4)
    task.cancel()
    await comes_true(lambda: len(exchanges) == 4)
    assert [seen.status for seen in exchanges] == [409, 429, None, None]


async def test_pages_of_other_sites_are_not_observed(
    server: Server, exchanges: list[Exchange]
) -> None:
    """A refused page of another site leaves nothing."""
    async with aiohttp.ClientSession(server.url) as session:
        headers = {"Origin": "https://attacker.example"}
        async with session.post("/one/a", json={}, headers=headers) as response:
            assert response.status == 403
    assert exchanges == []


async def test_nobody_watches_a_cloud_until_asked(tmp_path: Path) -> None:
    """Tests and benchmarks, which do not ask, send no trace context, and keep no turns."""
    headers: list[dict[str, str]] = []

    async def messages(request: web.Request) -> web.Response:
        headers.append({name.lower(): text for name, text in request.headers.items()})
        return web.Response()

    cloud, bot = Cloud(tmp_path), Server("bot", [web.post("/", messages)])
    async with bot:
        await cloud.start()
        cloud.channel.bot_endpoint = f"{bot.url}/"
        activity = {"type": "message", "serviceUrl": cloud.connector.server.url}
        first = await cloud.channel.deliver(activity)
        assert cloud.inspector.log.turns == []
        cloud.watch()
        second = await cloud.channel.deliver(activity)
        assert [turn.id for turn in cloud.inspector.log.turns] == [second.turn]
        await cloud.stop()
    assert first.turn == ""
    assert ["traceparent" in each for each in headers] == [False, True]
    assert all(server.observer is None for server in (cloud.entra.server, cloud.vault.server))
