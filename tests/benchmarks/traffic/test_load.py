"""A turn counts only when its HTTP answer and its reply, with the bot's own token, arrived."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from benchmarks.stage import Stage
from benchmarks.traffic.load import Load
from emulator.channel.connector import AUDIENCE
from emulator.cloud import MANAGED_IDENTITY
from emulator.entra.token_issuer import TokenIssuer

SECONDS = 0.05
Activity = dict[str, str]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A local cloud with a connector for the load."""
    stage = Stage(tmp_path, MANAGED_IDENTITY, tokens=3)
    await stage.start()
    yield stage
    await stage.stop()


class FakeBot:
    """A bot on the wire that answers as it is told, and replies as it is told.

    Attributes:
        token: sent with replies.
        text: of replies; None: as the load wants it.
        status: of its answers.
        callers: the tokens that it was sent.
        answered: it has answered once.
    """

    def __init__(self, stage: Stage) -> None:
        cloud = stage.cloud
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
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        connector = aiohttp.TCPConnector(ssl=self._trust)
        async with aiohttp.ClientSession(connector=connector) as self._session:
            yield self
        await runner.cleanup()


async def test_good_turns_are_counted(stage: Stage) -> None:
    """Every turn is counted once, with the latency that the connector was given."""
    stage.be_slow(0.0, 0.02)
    async with FakeBot(stage).running() as bot:
        load = Load(stage.delivery(bot.port, one_token=False), in_flight=4)
        await load.begin()
        outcome = await load.watch(SECONDS, least=8)
        await load.end()
    assert len(outcome.latencies) >= 8
    assert outcome.failures == []
    assert min(outcome.latencies) >= 0.02


async def test_each_turn_brings_another_token(stage: Stage) -> None:
    """The tokens are used in turn; with one token it is always the same."""
    for one_token, expected in ((False, 3), (True, 1)):
        async with FakeBot(stage).running() as bot:
            load = Load(stage.delivery(bot.port, one_token=one_token), in_flight=1)
            await load.begin()
            await load.watch(0.0, least=6)
            await load.end()
        assert len(set(bot.callers)) == expected


def _forged(bot: FakeBot, stage: Stage) -> None:
    claims = {"aud": AUDIENCE, "appid": stage.cloud.registration.app_id}
    bot.token = TokenIssuer().sign(claims)


def _others(bot: FakeBot, stage: Stage) -> None:
    bot.token, _ = stage.cloud.entra.app_token(
        AUDIENCE, "another-app", "p", tenant_id=stage.cloud.registration.tenant_id
    )


def _wrong_text(bot: FakeBot, _: Stage) -> None:
    bot.text = "You said: something else"


@pytest.mark.parametrize("spoil", [_forged, _others, _wrong_text])
async def test_a_reply_that_is_none_is_not_counted(
    stage: Stage, spoil: Callable[[FakeBot, Stage], None]
) -> None:
    """A forged token, another app's, or another text: the HTTP answer alone is no turn."""
    async with FakeBot(stage).running() as bot:
        spoil(bot, stage)
        load = Load(stage.delivery(bot.port, one_token=False), in_flight=1)
        await load.begin()
        watching = asyncio.create_task(load.watch(0.0, least=1))
        await bot.answered.wait()
        # What began later has come back: so has the answer, on the same event loop.
        async with aiohttp.ClientSession() as session:
            await _read(session.get(f"http://localhost:{bot.port}/"))
        assert not watching.done()
        assert len(bot.callers) == 1
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_refused_turn_is_a_failure(stage: Stage) -> None:
    """Another status than the bots' for a turn that is done is a failure, named by it."""
    async with FakeBot(stage).running() as bot:
        bot.status = 401
        load = Load(stage.delivery(bot.port, one_token=False), in_flight=1)
        await load.begin()
        outcome = await load.watch(0.0, least=1)
        await load.end()
    assert outcome.latencies == []
    assert outcome.failures[0] == "answered 401"


async def test_connections_and_token_requests_are_counted(stage: Stage) -> None:
    """Connections at the connector and at the identity endpoint, and token requests there."""
    before = stage.counts()
    identity = stage.cloud.identity
    async with FakeBot(stage).running() as bot:
        load = Load(stage.delivery(bot.port, one_token=False), in_flight=1)
        await load.begin()
        await load.watch(0.0, least=2)
        await load.end()
    async with aiohttp.ClientSession() as session:
        await _read(session.get(identity.settings()["IDENTITY_ENDPOINT"]))
    counts = stage.counts() - before
    assert (counts.token_requests, counts.connections) == (1, 2)


async def _read(request: Awaitable[aiohttp.ClientResponse]) -> None:
    response = await request
    await response.read()
