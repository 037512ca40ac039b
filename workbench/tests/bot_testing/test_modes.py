"""Chat: turns, state, errors and crashes, in each mode."""

import sys

import pytest

from bot_testing import Chat, TurnFailure

pytestmark = [
    pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy"),
    pytest.mark.parametrize(
        "chat_mode",
        [
            pytest.param("memory", marks=pytest.mark.chat(storage="memory")),
            pytest.param("Inline", marks=pytest.mark.chat(storage="azurite")),
            pytest.param("Queued", marks=pytest.mark.chat(storage="azurite", turns="Queued")),
        ],
    ),
    pytest.mark.usefixtures("chat_mode"),
]


@pytest.fixture
def chat_mode(request: pytest.FixtureRequest) -> str:
    """The name of the mode, for the test's id; its mark does the rest."""
    name: str = request.param
    return name


async def test_the_replies_of_a_turn(chat: Chat) -> None:
    """`say` returns the replies of its turn and no others."""
    assert (await chat.say("count")).texts == ["Count: 1"]
    assert (await chat.say("count")).texts == ["Count: 2"]
    assert [each.text for each in chat.replies] == ["Count: 1", "Count: 2"]


async def test_what_is_stored(chat: Chat) -> None:
    """`state` has what the bot has stored; objects are of the bot's own classes."""
    assert await chat.state.conversation() == {}
    await chat.say("count")
    await chat.say("profile Ada")
    profile = sys.modules["bot_logic.bot"].Profile("Ada")
    assert await chat.state.conversation() == {"count": 1}
    assert await chat.state.user() == {"profile": profile}


async def test_a_restart(chat: Chat) -> None:
    """After a restart, the state is there, and what the process had in memory is not."""
    await chat.say("count")
    await chat.restart()
    assert (await chat.say("count")).texts == ["Count: 2"]
    assert (await chat.say("runs")).texts == ["Runs: 2"]


async def test_a_crash_between_reply_and_save(chat: Chat) -> None:
    """The reply is out, nothing is stored; a new process stores it at the next delivery, once."""
    crashed = await chat.crash("count")
    assert crashed.texts == ["Count: 1"]
    assert await chat.state.conversation() == {}
    assert (await chat.redeliver()).texts == ["Count: 1"]
    assert sys.modules["bot_logic.bot"].BusyBot.runs == 1
    assert (await chat.redeliver()).texts == []
    assert (await chat.say("count")).texts == ["Count: 2"]


async def test_an_error_of_the_bot(chat: Chat) -> None:
    """The error itself fails the test: its traceback ends in the bot's code."""
    with pytest.raises(ZeroDivisionError, match="boom") as raised:
        await chat.say("fail boom")
    assert str(raised.traceback[-1].path).endswith("bot.py")
    assert chat.replies[0].text == "Now I fail."


async def test_an_expected_error(chat: Chat) -> None:
    """An expected error is part of the result, with the messages that the user got."""
    result = await chat.say("fail boom", expect_error=ZeroDivisionError)
    assert isinstance(result.errors[0], ZeroDivisionError)
    assert result.texts[-1].startswith("Sorry")


async def test_an_expected_error_that_does_not_come(chat: Chat) -> None:
    """A turn without the expected error fails the test."""
    with pytest.raises(TurnFailure, match="ZeroDivisionError"):
        await chat.say("count", expect_error=ZeroDivisionError)
    with pytest.raises(TurnFailure, match="KeyError"):
        await chat.say("fail", expect_error=KeyError)
