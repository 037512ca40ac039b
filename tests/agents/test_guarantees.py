"""What the base guarantees to each message holds for an AgentApplication, whatever fails."""

import asyncio
import dataclasses
import sys
from contextlib import nullcontext
from typing import Any

import pytest

from bot_testing import APOLOGY, Chat, ChatOptions, TurnFailure
from bot_testing.activities.sign_in import sign_in_activity
from cloud_adapter.errors import ActivityUnread

pytestmark = [
    pytest.mark.chat(bot="tests/agents/bots/ledger", settings={"ConnectionName": "letters"}),
    pytest.mark.filterwarnings("ignore:AgentApplication.adapter is obsolete"),
]

INLINE = pytest.mark.parametrize("chat_options", ["Inline azurite"], indirect=True)
QUEUED = pytest.mark.parametrize("chat_options", ["Queued azurite"], indirect=True)


@pytest.fixture(params=["Inline azurite", "Queued azurite"])
def chat_options(request: pytest.FixtureRequest, chat_options: ChatOptions) -> ChatOptions:
    """The test's options, once for each kind of turn, with storage that may fail."""
    turns, storage = request.param.split()
    return dataclasses.replace(chat_options, turns=turns, storage=storage)


def ledger() -> Any:
    """The bot's module, as it is imported now."""
    return sys.modules["bot_logic"]


async def counted(chat: Chat) -> tuple[Any, Any]:
    """What the bot has counted in the conversation's state, and in the user's."""
    here, mine = await chat.state.conversation(), await chat.state.user()
    return here.get("entries", 0), mine.get("entries", 0)


def is_queued(chat: Chat) -> bool:
    """Whether turns run from the queue."""
    return bool(chat.bot.parts.adapter.queues)


async def again(chat: Chat) -> None:
    """Have the last message processed by another run: the channel or the queue delivers it."""
    if is_queued(chat):
        await chat.next_reply()
    else:
        await chat.redeliver()


async def test_a_killed_turn(chat: Chat) -> None:
    """A message whose turn is killed after its reply is counted once."""
    assert (await chat.crash("count")).texts == ["1 here, 1 mine"]
    await again(chat)
    assert await counted(chat) == (1, 1)
    assert (await chat.redeliver()).texts == []
    assert await counted(chat) == (1, 1)


@INLINE
async def test_turns_at_the_same_time(chat: Chat) -> None:
    """Each of a user's turns is counted, in one conversation and in two."""
    other = chat.new_conversation()
    message = {"type": "message", "text": "count", "from": chat.account}
    await asyncio.gather(*(chat.send(message) for _ in range(6)))
    for _ in range(8):  # two at a time: of more, one may be answered 503
        await asyncio.gather(chat.send(message), other.send(message))
    for each, count in ((chat, 14), (other, 8)):
        heard = {int(reply.text.split()[0]) for reply in each.replies}
        assert heard == set(range(1, count + 1))
        assert (await each.state.conversation())["entries"] == count
    assert (await chat.state.user())["entries"] == 22


@INLINE
async def test_an_item_that_two_turns_change(chat: Chat) -> None:
    """The turn that writes last runs again, and loses nothing of the other's."""
    entry = {"type": "event", "name": "rent", "value": 1}
    writing = asyncio.create_task(chat.send(entry))
    await ledger().HAS_READ.wait()
    await chat.new_conversation().send(entry)
    ledger().GOES_ON.set()
    await writing
    [reply] = await chat.send({**entry, "value": 0})
    assert reply.text == "rent has 2"


async def test_a_swallowed_fault(chat: Chat) -> None:
    """A turn whose code swallows that storage is unavailable runs again, and is counted once."""
    await chat.say("count")
    chat.fail("storage", path="bot-state/page")
    with nullcontext() if is_queued(chat) else pytest.raises(TurnFailure, match="503"):
        await chat.say("swallow")
    assert await counted(chat) == (1, 1)
    chat.heal()
    await again(chat)
    assert await counted(chat) == (2, 2)


async def test_an_error_handler(chat: Chat) -> None:
    """It is called once, after the last attempt, and what the turns have changed is discarded."""
    replies = await chat.say("fail", expect_error=LookupError)
    assert replies.texts == ["The ledger is closed."]
    assert len(ledger().RUNS) == (5 if is_queued(chat) else 1)
    assert len(ledger().HANDLED) == 1
    assert await counted(chat) == (0, 0)


async def test_an_activity_that_cannot_be_read(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the bot's failure, whose log lines name the property."""
    relates_to = {"conversation": {"id": "c"}, "channelId": " "}
    content = {"type": "message", "text": "count sesame", "relatesTo": relates_to}
    replies = await chat.send(content, expect_error=ActivityUnread)
    assert replies.texts == [APOLOGY]
    assert "relatesTo" in caplog.text
    assert "sesame" not in caplog.text


async def code_of(chat: Chat) -> str:
    """The code that the user gets who signs in because of a message that needs it."""
    [card] = await chat.say("letters")
    users = chat.bot.cloud.user_tokens
    text: str = sign_in_activity(users, card, chat.account, chat.channel, "code")["text"]
    return text


async def test_a_sign_in(chat: Chat) -> None:
    """The message that waited for it is counted once, also if the code is delivered again."""
    code = await code_of(chat)
    assert (await chat.say(code)).texts == ["1 here, 1 mine"]
    assert (await chat.redeliver()).texts == []
    assert await counted(chat) == (1, 1)


@QUEUED
async def test_a_sign_in_that_is_killed(chat: Chat) -> None:
    """What waited for it is processed once, although the code was taken from the user before."""
    code = await code_of(chat)

    async def answer(context: Any) -> None:
        await context.send_activity("late")

    ledger().LATE[code] = answer
    assert (await chat.crash(code)).texts == ["late"]
    assert (await chat.next_reply()).text == "1 here, 1 mine"
    assert (await chat.say("letters")).texts == ["2 here, 2 mine"]
    assert await counted(chat) == (2, 2)


@QUEUED
async def test_a_sign_in_that_fails_at_its_end(chat: Chat) -> None:
    """What waited for it is not processed before the turn has succeeded."""
    code = await code_of(chat)

    async def fail(_: object) -> None:
        raise LookupError("at its end")

    ledger().LATE[code] = fail
    await chat.say(code, expect_error=LookupError)
    assert (await chat.say("letters")).texts[-1] == "2 here, 2 mine"
    assert await counted(chat) == (2, 2)


@QUEUED
async def test_a_sign_in_that_cannot_be_stored(chat: Chat) -> None:
    """What waited for it is processed once, although it is stored twice."""
    code = await code_of(chat)

    async def fail(_: object) -> None:
        chat.fail("storage", path="bot-state/auth")

    ledger().LATE[code] = fail
    assert (await chat.say(code)).texts == []
    chat.heal()
    assert (await chat.next_reply()).text == "1 here, 1 mine"
    assert (await chat.say("letters")).texts == ["2 here, 2 mine"]
    assert await counted(chat) == (2, 2)


@QUEUED
async def test_a_killed_replay(chat: Chat) -> None:
    """A replay that is killed after its reply runs again, and is counted once."""
    code = await code_of(chat)
    assert (await chat.crash(code)).texts == ["1 here, 1 mine"]
    assert (await chat.next_reply()).text == "1 here, 1 mine"
    assert await counted(chat) == (1, 1)
