"""Chat, in front of the examples' bots."""

import asyncio

import pytest

from bot_testing import Chat, ChatMistake


@pytest.mark.chat(bot="examples/echo")
async def test_a_reply(chat: Chat) -> None:
    """`say` returns the replies of the turn."""
    [reply] = await chat.say("hi")
    assert reply.text == "You said: hi"
    assert (await chat.say("again")).texts == ["You said: again"]


@pytest.mark.chat(bot="examples/echo")
async def test_joining(chat: Chat) -> None:
    """`join` tells the bot who has joined."""
    assert (await chat.join()).texts == ["Hello! I echo what you say."]


@pytest.mark.chat(bot="examples/universal_actions")
async def test_a_universal_action(chat: Chat) -> None:
    """The answer to Action.Execute has the new card, which also replaces the old one."""
    [reply] = await chat.say("Lunch?")
    answer = await chat.press(reply, "Yes")
    assert "Yes: 1" in str(answer.card)
    assert chat.replies[0].card == answer.card
    assert [each.card for each in answer.updated] == [answer.card]


@pytest.mark.chat(bot="examples/universal_actions")
async def test_a_missing_button(chat: Chat) -> None:
    """The error lists the buttons that there are."""
    shown = await chat.say("Lunch?")
    with pytest.raises(ChatMistake, match=r"'Maybe'.*\['Yes', 'No'\]"):
        await chat.press(shown, "Maybe")


@pytest.mark.chat(bot="examples/universal_actions")
async def test_a_refresh(chat: Chat) -> None:
    """A card refreshes itself for the users that it names."""
    [reply] = await chat.say("Lunch?")
    await chat.user("Grace").press(reply, "Yes")
    assert "Yes: 1" in str((await chat.refresh(reply)).card)
    with pytest.raises(ChatMistake, match="for this user"):
        await chat.user("Alan").refresh(reply)


@pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy")
async def test_errors_at_the_same_time(chat: Chat) -> None:
    """Each turn has its own errors."""
    grace = chat.user("Grace")
    results = await asyncio.gather(
        chat.say("fail first", expect_error=ZeroDivisionError),
        grace.say("count"),
        grace.say("fail second", expect_error=ZeroDivisionError),
    )
    assert [[str(each) for each in result.errors] for result in results] == [
        ["first"],
        [],
        ["second"],
    ]
