"""A trial counts what 16 messages at once and a load do to a counter bot."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.state.measurement import BurstFigures
from benchmarks.state.storage.proxy import StorageProxy
from benchmarks.state.trial import CONVERSATIONS, IN_FLIGHT, MIN_TURNS, StateTrial
from benchmarks.state.turns import TurnSender
from bot_workbench.credential_kinds import MANAGED_IDENTITY
from tests.benchmarks.state.fake_bot import FakeBot

LAST = IN_FLIGHT + 2
"""The number of the message after those at once."""


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[BenchmarkCloud]:
    """A local cloud with a connector for the load."""
    cloud = BenchmarkCloud(tmp_path, MANAGED_IDENTITY, tokens=2)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def bot(cloud: BenchmarkCloud) -> AsyncIterator[FakeBot]:
    """A bot that counts right."""
    bot = FakeBot(cloud.connector)
    await bot.start()
    yield bot
    await bot.stop()


@pytest.fixture
def trial(cloud: BenchmarkCloud, bot: FakeBot) -> StateTrial:
    """A trial of it."""
    return StateTrial(TurnSender(cloud.target(0, one_token=True), [bot.port]), [])


@pytest.fixture
def proxy() -> StorageProxy:
    """A proxy that the bot does not use."""
    return StorageProxy({})


async def test_all_are_counted(trial: StateTrial, proxy: StorageProxy) -> None:
    """The count rises by one for each message."""
    assert await trial.burst(proxy) == BurstFigures(IN_FLIGHT, 0)


async def test_lost_updates(trial: StateTrial, bot: FakeBot, proxy: StorageProxy) -> None:
    """The next message shows that most of them overwrote each other."""
    bot.count = lambda number: 4 if number == LAST else number
    assert await trial.burst(proxy) == BurstFigures(2, 0)


async def test_apologies(trial: StateTrial, bot: FakeBot, proxy: StorageProxy) -> None:
    """An apology after the reply is an error as well."""
    bot.replies.append(("message", "Sorry"))
    assert await trial.burst(proxy) == BurstFigures(IN_FLIGHT, IN_FLIGHT)


async def test_refused_messages(trial: StateTrial, bot: FakeBot, proxy: StorageProxy) -> None:
    """Neither counted nor replied to."""
    bot.status = lambda number: 503 if 1 < number < LAST else 202
    bot.count = lambda number: 2 if number == LAST else number
    assert await trial.burst(proxy) == BurstFigures(0, IN_FLIGHT)


async def test_a_load(trial: StateTrial, bot: FakeBot) -> None:
    """Conversations take turns until enough of these have ended; those that failed are counted."""
    statuses = itertools.cycle((202, 503))
    bot.status = lambda _: next(statuses)
    found = await trial.load(0.01)
    assert found.turns_per_second > 0
    assert found.failures > MIN_TURNS / 4
    conversations = {each["conversation"]["id"] for each in bot.activities}
    assert len(conversations) == CONVERSATIONS


async def test_a_bot_that_does_not_work(trial: StateTrial, bot: FakeBot) -> None:
    """The run ends, and says why."""
    bot.status = lambda _: 500
    with pytest.raises(RuntimeError, match="status 500"):
        await trial.warm_up()
