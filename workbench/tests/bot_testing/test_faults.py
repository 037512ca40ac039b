"""Chat: faults of the services around the bot."""

import asyncio
import sys

import pytest

from bot_testing import Chat, ChatMistake, NoReply, TurnFailure
from cloud_adapter.connector.client import ConnectorError
from tests.support.timing.loop_turns import settled

pytestmark = pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy")


@pytest.mark.chat(skip_waits=True)
async def test_a_busy_connector(chat: Chat) -> None:
    """The bot's reply arrives once the connector takes it again."""
    chat.fail("connector", status=429, retry_after=2, times=2)
    assert (await chat.say("count")).texts == ["Count: 1"]


async def test_a_lost_answer(chat: Chat) -> None:
    """The reply has arrived, but the bot does not learn of it."""
    # Not the first request alone: in a slow turn, that is one of the typing indicator's.
    chat.fail("connector", cut=True, handled=True)
    result = await chat.say("count", expect_error=ConnectorError)
    assert result.texts[0] == "Count: 1"


async def test_a_broken_connection(chat: Chat) -> None:
    """The reply has not arrived."""
    chat.fail("connector", cut=True)
    assert (await chat.say("count", expect_error=ConnectorError)).texts == []


@pytest.mark.chat(storage="azurite")
async def test_an_outage_of_storage(chat: Chat) -> None:
    """The app refuses the message, which a later delivery brings again."""
    chat.fail("storage")
    with pytest.raises(TurnFailure, match="503") as raised:
        await chat.say("count")
    assert raised.value.status == 503
    chat.heal()
    assert (await chat.redeliver()).texts == ["Count: 1"]


async def test_no_storage(chat: Chat) -> None:
    """State in memory is always available; the error says what to do."""
    with pytest.raises(ChatMistake, match=r'storage="azurite"'):
        chat.fail("storage")


async def test_no_token_for_the_bot(chat: Chat) -> None:
    """A bot that cannot sign in refuses the message."""
    chat.fail("identity", status=400)
    with pytest.raises(TurnFailure, match="503"):
        await chat.say("count")


@pytest.mark.chat(storage="azurite")
async def test_nothing_is_left_broken(chat: Chat) -> None:
    """The faults of the tests before this one are over."""
    assert (await chat.say("count")).texts == ["Count: 1"]


@pytest.mark.chat(storage="azurite")
async def test_a_notification(chat: Chat) -> None:
    """What the bot sends by itself is no reply of a turn; `next_reply` waits for it."""
    await chat.say("count")
    assert (await chat.say("notify Lunch!")).texts == []
    assert (await chat.next_reply()).text == "Lunch!"
    with pytest.raises(NoReply):
        await chat.next_reply(seconds=0.1)


@pytest.mark.chat(storage="azurite", turns="Queued")
async def test_a_queued_turn_after_a_crash(chat: Chat) -> None:
    """The queue still has the turn's message: the turn runs again, without the channel."""
    assert (await chat.crash("count")).texts == ["Count: 1"]
    assert (await chat.next_reply()).text == "Count: 1"
    assert await chat.state.conversation() == {"count": 1}


async def test_a_notification_that_fails(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """An error in a proactive turn fails the test that waits for its reply."""
    await chat.say("later boom")
    waiting = asyncio.create_task(chat.next_reply())
    await settled()  # what fails before would be an error of the turn
    sys.modules["bot_logic.bot"].BusyBot.released.set()
    with pytest.raises(ZeroDivisionError, match="boom"):
        await waiting
    assert "busy bot is about to fail" in caplog.text
