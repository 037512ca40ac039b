"""Chat: time that a test moves."""

import asyncio
import time
import traceback
from pathlib import Path

import pytest

from bot_testing import Chat, TurnFailure

pytestmark = pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy")


async def test_a_turn_that_sleeps(chat: Chat) -> None:
    """Sleeps follow each other in the moved time, and the typing indicator shows meanwhile."""
    saying = asyncio.create_task(chat.say("sleep 60"))
    await chat.move_time(seconds=90)
    assert [each.text for each in chat.replies] == ["first"]
    await chat.move_time(seconds=31)
    assert (await saying).texts == ["first", "second"]
    typing = [each for each in chat.activities if each["type"] == "typing"]
    # One each 2.5 seconds. Real seconds pass too: a slow machine has some less, or some more.
    assert 40 < len(typing) < 60


@pytest.mark.chat(storage="azurite", turns="Queued")
async def test_a_queued_turn_that_sleeps(chat: Chat) -> None:
    """The same in a queued turn, with the lease that it renews."""
    saying = asyncio.create_task(chat.say("sleep 60"))
    await chat.move_time(seconds=121)
    assert (await saying).texts == ["first", "second"]


@pytest.mark.chat(skip_waits=True)
async def test_skipped_waits(chat: Chat) -> None:
    """A sleeping turn ends at once, and the time it has slept has passed."""
    said = time.time()
    assert (await chat.say("sleep 100")).texts == ["first", "second"]
    assert time.time() - said >= 200


async def test_the_wall_clock(chat: Chat) -> None:
    """The bot reads the moved time; it goes on from there."""
    before = time.time()
    await chat.move_time(days=1, hours=1, minutes=1, seconds=1)
    [reply] = await chat.say("time")
    assert before + 90061 <= float(reply.text) <= time.time()


def test_the_wall_clock_is_put_back(tmp_path: Path) -> None:
    """The next test has the machine's time, as the file system has."""
    (tmp_path / "new").touch()
    assert abs(time.time() - (tmp_path / "new").stat().st_mtime) < 3600


async def test_tokens_expire(chat: Chat) -> None:
    """After a day, the bot gets a new token, and checks the channel's new ones."""
    await chat.say("count")
    tokens = chat.bot.cloud.identity.server.requests.total()
    await chat.move_time(days=1)
    assert (await chat.say("count")).texts == ["Count: 2"]
    assert chat.bot.cloud.identity.server.requests.total() == tokens + 1


@pytest.mark.chat(turn_seconds=5)  # long enough that the bot is surely at the place
async def test_a_turn_that_waits_for_something_else(chat: Chat) -> None:
    """Time moves on regardless; the test fails with the place where the bot waits."""
    saying = asyncio.create_task(chat.say("hang"))
    await chat.move_time(minutes=1)
    with pytest.raises(TurnFailure, match="has not ended after 5 seconds") as raised:
        await saying
    trace = "".join(traceback.format_exception(raised.value))
    assert "await asyncio.Event().wait()" in trace


@pytest.mark.chat(skip_waits=True, turn_seconds=0.5)
async def test_a_wait_that_cannot_be_skipped(chat: Chat) -> None:
    """The turn is ended after its time limit."""
    with pytest.raises(TurnFailure, match=r"has not ended after 0\.5 seconds"):
        await chat.say("hang")
