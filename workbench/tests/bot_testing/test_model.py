"""Chat: the language model that a bot asks, and the time for which it is silent."""

import asyncio
import gc
import time
import weakref
from collections.abc import Iterator

import pytest

from bot_testing import Chat
from tests.support.timing.condition import comes_true

pytestmark = [
    pytest.mark.extended,  # the bot needs openai
    pytest.mark.chat(bot="workbench/tests/bot_testing/bots/asker", channel="msteams"),
    pytest.mark.filterwarnings("ignore:unclosed"),  # nothing closes the bot's client, as in Azure
]

MINUTE = 60

both_ways = pytest.mark.parametrize("asked", ["stream", "plain"])


@pytest.fixture(autouse=True)
def smoothly(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The kit sees at once whenever a turn only waits."""
    yield
    logged = [record.getMessage() for record in caplog.get_records("call")]
    assert [each for each in logged if "waits for something else" in each] == []


@both_ways
async def test_a_script(chat: Chat, asked: str) -> None:
    """Answers come in their order; the requests are there to be looked at."""
    chat.model.answers("Soup.")
    chat.model.answers("Bread.")
    assert (await chat.say(f"{asked} one")).texts == ["Soup."]
    assert (await chat.say(f"{asked} two")).texts == ["Bread."]
    asked_for = [each["messages"][0]["content"] for each in chat.model.requests]
    assert asked_for == [f"{asked} one", f"{asked} two"]


async def test_no_script(chat: Chat) -> None:
    """Nothing of another test's script is left, and no request: the model improvises."""
    assert chat.model.requests == []
    [reply] = await chat.say("hello")
    assert "stand-in" in reply.text
    chat.model.answers("left over")


@both_ways
@pytest.mark.chat(skip_waits=True)
async def test_a_silent_model(chat: Chat, asked: str) -> None:
    """A minute of silence passes at once; what the model has said before is read."""
    chat.model.answers("Once upon a time", end="silent")
    said, started = time.time(), time.monotonic()
    assert (await chat.say(asked)).texts == ["Once upon a time(silent)"]
    assert time.time() - said > MINUTE
    assert time.monotonic() - started < 20


@both_ways
async def test_a_silent_model_and_a_moved_time(chat: Chat, asked: str) -> None:
    """Where a test moves time itself, the bot's limit ends the wait, and not before."""
    chat.model.answers("Once", end="silent")
    saying = asyncio.create_task(chat.say(asked))
    await chat.move_time(seconds=MINUTE - 20)
    assert not saying.done()
    await chat.move_time(seconds=30)
    assert (await saying).texts == ["Once(silent)"]


@both_ways
@pytest.mark.chat(skip_waits=True)
async def test_a_service_that_never_answers(chat: Chat, asked: str) -> None:
    """The same for a model that sends no headers."""
    chat.fail("model", silent=True)
    assert (await chat.say(asked)).texts == ["(silent)"]


@both_ways
@pytest.mark.chat(skip_waits=True, turn_seconds=10)
async def test_a_slow_model(chat: Chat, asked: str) -> None:
    """No time limit ends an answer that comes, however slowly: time does not move meanwhile."""
    text = "Once upon a time there was a bot."
    chat.model.answers(text)
    chat.model.pause = 0.15
    said, started = time.time(), time.monotonic()
    assert (await chat.say(asked)).texts == [text]
    assert time.time() - said < time.monotonic() - started + 10


@both_ways
@pytest.mark.chat(turn_seconds=10)
async def test_a_slow_model_and_a_moved_time(chat: Chat, asked: str) -> None:
    """A test that moves time waits for an answer that comes."""
    text = "Once upon a time there was a bot."
    chat.model.answers(text)
    chat.model.pause = 0.15
    saying = asyncio.create_task(chat.say(asked))
    await chat.move_time(seconds=2 * MINUTE)
    assert (await saying).texts == [text]


@pytest.mark.chat(skip_waits=True)
async def test_two_conversations(chat: Chat) -> None:
    """One is answered while the model is silent in the other."""
    other = chat.new_conversation()
    chat.model.answers("Once", end="silent")
    saying = asyncio.create_task(chat.say("one"))
    await comes_true(lambda: len(chat.model.requests) == 1)
    chat.model.answers("Soup and bread.")
    chat.model.pause = 0.15
    assert (await other.say("two")).texts == ["Soup and bread."]
    assert (await saying).texts == ["Once(silent)"]


@both_ways
async def test_a_dead_model(chat: Chat, asked: str) -> None:
    """All that was sent before the connection was cut arrives."""
    chat.model.answers("Once upon a time", end="dead")
    assert (await chat.say(asked)).texts == ["Once upon a time(dead)"]


@pytest.mark.chat(skip_waits=True)
async def test_stop(chat: Chat) -> None:
    """The user stops an answer: the bot reads no more, and the model's server has no request."""
    chat.model.answers("Once upon a time", end="silent")
    [reply] = await chat.say("tell me", stop_after=1)
    assert reply.type == "typing"
    await comes_true(lambda: chat.model.server.under_way == 0)


@pytest.mark.chat(skip_waits=True)
async def test_an_ended_turn(chat: Chat) -> None:
    """The kit forgets it: asyncio logs the error of a task only once nobody has the task."""
    chat.model.answers("Once", end="silent")
    saying = asyncio.create_task(chat.say("plain"))
    await comes_true(lambda: len(chat.model.requests) == 1)
    [turn] = map(weakref.ref, chat.bot.turns)
    await saying
    await chat.say("plain again")
    gc.collect()
    assert turn() is None
