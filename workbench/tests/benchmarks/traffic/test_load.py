"""A turn counts only when its HTTP response and its verified reply have both arrived."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.traffic.load import Load
from bot_workbench.credential_kinds import MANAGED_IDENTITY
from bot_workbench.emulator.channel.connector import AUDIENCE
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

SECONDS = 0.05
Activity = dict[str, str]


@pytest.fixture
async def benchmark_cloud(tmp_path: Path) -> AsyncIterator[BenchmarkCloud]:
    """A local cloud with a connector for the load."""
    benchmark_cloud = BenchmarkCloud(tmp_path, MANAGED_IDENTITY, tokens=3)
    await benchmark_cloud.start()
    yield benchmark_cloud
    await benchmark_cloud.stop()


class FakeBot:
    """A bot on the wire with a set status and reply.

    Attributes:
        token: sent with replies.
        text: of replies; None: the text that the load expects.
        status: of its responses.
        callers: the tokens that it was sent.
        answered: set once it has responded.
    """

    def __init__(self, benchmark_cloud: BenchmarkCloud) -> None:
        cloud = benchmark_cloud.cloud
        self.token, _ = cloud.entra.app_token(
            AUDIENCE, cloud.registration.app_id, "principal", tenant_id=cloud.registration.tenant_id
        )
        self.text: str | None = None
        self.status = 200
        self.callers: list[str] = []
        self.answered = asyncio.Event()
        self.port = 0
        self._trust = ssl.create_default_context(cafile=str(cloud.authority.path))

    async def answer(self, request: web.Request) -> web.Response:
        """Take one turn."""
        self.callers.append(request.headers["Authorization"])
        activity = await request.json()
        url = (
            f"{activity['serviceUrl']}v3/conversations/{activity['conversation']['id']}"
            f"/activities/{activity['id']}"
        )
        reply = {"text": self.text or f"You said: {activity['text']}"}
        async with self._session.post(
            url, data=json.dumps(reply), headers={"Authorization": f"Bearer {self.token}"}
        ) as response:
            await response.read()
        asyncio.get_running_loop().call_soon(self.answered.set)
        return web.Response(status=self.status)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FakeBot"]:
        """While it serves."""
        app = web.Application()
        app.router.add_post("/api/messages", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        connector = aiohttp.TCPConnector(ssl=self._trust)
        async with aiohttp.ClientSession(connector=connector) as self._session:
            yield self
        await runner.cleanup()


async def test_good_turns_are_counted(benchmark_cloud: BenchmarkCloud) -> None:
    """Every turn is counted once, with the latency that the connector was given."""
    benchmark_cloud.set_latencies(0.0, 0.02)
    async with FakeBot(benchmark_cloud).running() as bot:
        load = Load(benchmark_cloud.target(bot.port, one_token=False), in_flight=4)
        await load.start()
        outcome = await load.measure(SECONDS, min_turns=8)
        await load.stop()
    assert len(outcome.latencies) >= 8
    assert outcome.failures == []
    assert min(outcome.latencies) >= 0.02


async def test_each_turn_has_another_token(benchmark_cloud: BenchmarkCloud) -> None:
    """The tokens are used in turn; with one token it is always the same."""
    for one_token, expected in ((False, 3), (True, 1)):
        async with FakeBot(benchmark_cloud).running() as bot:
            load = Load(benchmark_cloud.target(bot.port, one_token=one_token), in_flight=1)
            await load.start()
            await load.measure(0.0, min_turns=6)
            await load.stop()
        assert len(set(bot.callers)) == expected


def _forged(bot: FakeBot, benchmark_cloud: BenchmarkCloud) -> None:
    claims = {"aud": AUDIENCE, "appid": benchmark_cloud.cloud.registration.app_id}
    bot.token = TokenIssuer().sign(claims)


def _others(bot: FakeBot, benchmark_cloud: BenchmarkCloud) -> None:
    bot.token, _ = benchmark_cloud.cloud.entra.app_token(
        AUDIENCE, "another-app", "p", tenant_id=benchmark_cloud.cloud.registration.tenant_id
    )


def _wrong_text(bot: FakeBot, _: BenchmarkCloud) -> None:
    bot.text = "You said: something else"


@pytest.mark.parametrize("spoil", [_forged, _others, _wrong_text])
async def test_an_invalid_reply_is_not_counted(
    benchmark_cloud: BenchmarkCloud, spoil: Callable[[FakeBot, BenchmarkCloud], None]
) -> None:
    """A forged token, another app's or a wrong text: the HTTP response alone does not count."""
    async with FakeBot(benchmark_cloud).running() as bot:
        spoil(bot, benchmark_cloud)
        load = Load(benchmark_cloud.target(bot.port, one_token=False), in_flight=1)
        await load.start()
        watching = asyncio.create_task(load.measure(0.0, min_turns=1))
        await bot.answered.wait()
        # A later request has been answered: so has the turn, on the same event loop.
        async with aiohttp.ClientSession() as session:
            await _read(session.get(f"http://localhost:{bot.port}/"))
        assert not watching.done()
        assert len(bot.callers) == 1
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_refused_turn_is_a_failure(benchmark_cloud: BenchmarkCloud) -> None:
    """A turn that is answered with an error status is a failure, which names the status."""
    async with FakeBot(benchmark_cloud).running() as bot:
        bot.status = 401
        load = Load(benchmark_cloud.target(bot.port, one_token=False), in_flight=1)
        await load.start()
        outcome = await load.measure(0.0, min_turns=1)
        await load.stop()
    assert outcome.latencies == []
    assert outcome.failures[0] == "status 401"


async def test_connections_and_token_requests_are_counted(benchmark_cloud: BenchmarkCloud) -> None:
    """Connections to connector and identity endpoint are counted, and token requests."""
    before = benchmark_cloud.counts()
    identity = benchmark_cloud.cloud.identity
    async with FakeBot(benchmark_cloud).running() as bot:
        load = Load(benchmark_cloud.target(bot.port, one_token=False), in_flight=1)
        await load.start()
        await load.measure(0.0, min_turns=2)
        await load.stop()
    async with aiohttp.ClientSession() as session:
        await _read(session.get(identity.settings()["IDENTITY_ENDPOINT"]))
    counts = benchmark_cloud.counts() - before
    assert (counts.token_requests, counts.connections) == (1, 2)


async def _read(request: Awaitable[aiohttp.ClientResponse]) -> None:
    response = await request
    await response.read()


async def test_conversations(benchmark_cloud: BenchmarkCloud) -> None:
    """Turns cycle through the conversations, each another user's, with the tokens."""
    target = benchmark_cloud.target(1, one_token=False)
    requests = [b"".join(parts) for parts in replace(target, conversations=2).requests()]
    places = [(b'"a:0"' in each, b'"29:0"' in each, b'"a:1"' in each) for each in requests]
    assert places == [(True, True, False), (False, False, True), (True, True, False)]
