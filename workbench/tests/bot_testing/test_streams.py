"""Chat: answers that the bot streams with Reply."""

import asyncio
import dataclasses
import sys
import time
from collections.abc import Iterator
from typing import Literal

import pytest

from bot_testing import Chat, ChatMistake, ChatOptions

pytestmark = pytest.mark.chat(bot="workbench/tests/bot_testing/bots/teller", channel="msteams")

STORY = "Once upon a time."

slow = pytest.mark.chat(skip_waits=True)


@pytest.fixture(params=["Inline", "Queued"])
def chat_options(chat_options: ChatOptions, request: pytest.FixtureRequest) -> ChatOptions:
    """Each test runs in both modes."""
    storage: Literal["memory", "azurite"] = "memory" if request.param == "Inline" else "azurite"
    return dataclasses.replace(chat_options, turns=request.param, storage=storage)


@pytest.fixture(autouse=True)
def smoothly(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The kit sees at once whenever a turn only waits."""
    yield
    logged = [record.getMessage() for record in caplog.get_records("call")]
    assert [each for each in logged if "waits for something else" in each] == []


def parts_of(chat: Chat) -> list[str]:
    """The texts of all parts that the channel has taken, ends of streams included."""
    return [each["text"] for each in chat.conversation.changes if "streaminfo" in str(each)]


async def test_the_rate_limit_of_an_answer(chat: Chat) -> None:
    """The end waits for the update before it, but the test does not: time moves on by itself."""
    said, before = time.time(), time.monotonic()
    assert (await chat.say("0")).texts == [STORY]
    assert time.time() - said > time.monotonic() - before + 0.1


@pytest.mark.parametrize(
    "channel",
    [
        pytest.param(each, marks=pytest.mark.chat(channel=each, skip_waits=True))
        for each in ("msteams", "webchat", "directline")
    ],
)
async def test_a_slow_model(chat: Chat, channel: str) -> None:
    """The answer's parts and its end are one reply; each part keeps the channel's rate limit."""
    assert chat.channel == channel
    result = await chat.say("2")
    assert result.texts == [STORY]
    words = ["Once", "Once upon", "Once upon a", "Once upon a time", STORY]
    assert parts_of(chat) == ["Remembering…", *words, STORY]
    assert [each.id for each in chat.replies] == [result[0].id]
    assert result[0].type == "message"


async def test_an_answer_that_grows(chat: Chat) -> None:
    """Where a test moves time itself, it sees what the user sees meanwhile."""
    saying = asyncio.create_task(chat.say("10"))
    await chat.move_time(seconds=5)
    assert [each.text for each in chat.replies] == ["Remembering…"]
    await chat.move_time(seconds=20)
    assert [each.text for each in chat.replies] == ["Once upon"]
    await chat.move_time(seconds=60)
    assert (await saying).texts == [STORY]


@slow
async def test_a_silent_model(chat: Chat) -> None:
    """The newest text is sent again while the model is silent."""
    assert (await chat.say("20")).texts == [STORY]
    assert parts_of(chat)[:3] == ["Remembering…", "Remembering…", "Once"]


@slow
async def test_stop(chat: Chat) -> None:
    """The user's Stop ends the answer: what they had seen stays."""
    [reply] = await chat.say("2", stop_after=3)
    assert (reply.text, reply.type) == ("Once upon", "typing")
    assert sys.modules["bot_logic.bot"].TellerBot.stopped.pop() == "Once upon"
    assert (await chat.say("2")).texts == [STORY]


@slow
async def test_a_stop_that_comes_too_late(chat: Chat) -> None:
    """An answer that has fewer parts cannot be stopped then."""
    with pytest.raises(ChatMistake, match="fewer than 20 parts"):
        await chat.say("2", stop_after=20)


@slow
async def test_a_second_delivery(chat: Chat) -> None:
    """The channel delivers the message again while the answer grows, which comes once."""
    saying = asyncio.create_task(chat.say("4"))
    await chat.move_time(seconds=15)
    assert [each.text for each in chat.replies] == ["Once upon a"]
    again = await chat.redeliver()
    assert (await saying).texts == [STORY]
    assert again.replies == []
    assert [each.text for each in chat.replies] == [STORY]


@slow
@pytest.mark.parametrize("parts", [2, 3])
async def test_a_dead_worker(chat: Chat, parts: int) -> None:
    """The rerun puts the whole answer in place of the message that the worker has begun."""
    [begun] = await chat.crash("2", parts=parts)
    assert begun.text == {2: "Once", 3: "Once upon"}[parts]
    again = await chat.redeliver()
    assert [each.text for each in again.updated] == [STORY]
    assert [(each.id, each.text) for each in chat.replies] == [(begun.id, STORY)]


@slow
async def test_a_worker_that_dies_after_the_end(chat: Chat) -> None:
    """The rerun replaces the answer by the same one."""
    [answer] = await chat.crash("2")
    assert answer.text == STORY
    await chat.redeliver()
    assert [(each.id, each.text) for each in chat.replies] == [(answer.id, STORY)]


@slow
async def test_a_lost_id(chat: Chat) -> None:
    """A worker that dies before it learns the message's id leaves it: the rerun's is a new one."""
    [begun] = await chat.crash("2", parts=1)
    await chat.redeliver()
    assert [(each.text) for each in chat.replies] == [begun.text, STORY]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("group", marks=pytest.mark.chat(kind="groupChat")),
        pytest.param("Web Chat", marks=pytest.mark.chat(channel="webchat")),
    ],
)
async def test_where_nobody_can_stop(chat: Chat, place: str) -> None:
    """Teams streams in personal chats only, and Web Chat has no such button."""
    del place
    with pytest.raises(ChatMistake, match="personal chats of Teams only"):
        await chat.say("0", stop_after=1)


@pytest.mark.chat(kind="groupChat")
async def test_a_death_without_parts(chat: Chat) -> None:
    """Where the answer is one message, the app cannot end after a part of it."""
    with pytest.raises(ChatMistake, match="has not sent so much"):
        await chat.crash("0", parts=1)
