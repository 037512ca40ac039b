"""A turn has ended when its HTTP response and its reply have arrived; apologies are counted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.state.turns import TurnSender
from bot_workbench.credential_kinds import MANAGED_IDENTITY
from tests.benchmarks.state.fake_bot import FakeBot


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[BenchmarkCloud]:
    """A local cloud with a connector for the load."""
    cloud = BenchmarkCloud(tmp_path, MANAGED_IDENTITY, tokens=2)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def bots(cloud: BenchmarkCloud) -> AsyncIterator[list[FakeBot]]:
    """Two instances of a bot."""
    bots = [FakeBot(cloud.connector) for _ in range(2)]
    for bot in bots:
        await bot.start()
    yield bots
    for bot in bots:
        await bot.stop()


@pytest.fixture
def sender(cloud: BenchmarkCloud, bots: list[FakeBot]) -> TurnSender:
    """Sends messages to both instances."""
    return TurnSender(cloud.target(0, one_token=False), [bot.port for bot in bots])


async def test_a_turn(sender: TurnSender) -> None:
    """The count and the times of response and reply."""
    turn = await sender.send("a:1")
    assert (turn.status, turn.count) == (202, 1)
    assert turn.sent < turn.answered < turn.replied
    assert sender.apologies == 0


async def test_conversations_and_instances(sender: TurnSender, bots: list[FakeBot]) -> None:
    """Instances take turns; each conversation is another user's, and each message another's."""
    for conversation in ("a:1", "a:2", "a:1"):
        await sender.send(conversation)
    assert [len(bot.activities) for bot in bots] == [2, 1]
    first, again = bots[0].activities
    other = bots[1].activities[0]
    assert first["conversation"] == again["conversation"] != other["conversation"]
    assert first["from"] == again["from"]
    assert {first["from"]["id"], first["from"]["aadObjectId"]}.isdisjoint(other["from"].values())
    assert len({first["id"], again["id"], other["id"]}) == 3


async def test_turns_at_once(sender: TurnSender) -> None:
    """Many messages in one conversation have their own replies."""
    turns = await asyncio.gather(*(sender.send("a:1") for _ in range(20)))
    assert sorted(turn.count or 0 for turn in turns) == sorted([*range(1, 11), *range(1, 11)])


async def test_an_apology_before_or_after_the_reply(
    sender: TurnSender, bots: list[FakeBot]
) -> None:
    """The first message is the reply, a typing indicator is none; every apology is counted."""
    bots[0].replies = [("typing", ""), ("message", "8 {id}"), ("message", "Sorry")]
    bots[1].replies = [("message", "Sorry")]
    assert (await sender.send("a:1")).count == 8
    assert (await sender.send("a:1")).count is None
    assert sender.apologies == 2


async def test_a_count_of_another_message(sender: TurnSender, bots: list[FakeBot]) -> None:
    """A reply that names another message is not this turn's."""
    bots[0].replies = [("message", "8 T-00000000")]
    assert (await sender.send("a:1")).count is None


async def test_a_refused_message(sender: TurnSender, bots: list[FakeBot]) -> None:
    """Its turn has failed at once, without a wait for a reply."""
    bots[0].status = lambda _: 503
    async with asyncio.timeout(10):
        turn = await sender.send("a:1")
    assert (turn.status, turn.replied, turn.count) == (503, 0.0, None)
