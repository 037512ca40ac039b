"""Dialog."""

import pytest

from bot_testing import Chat


async def test_an_order(chat: Chat) -> None:
    """Five answers make an order."""
    await chat.say("hi")
    [dishes] = await chat.say("Ada")
    await chat.press(dishes, "Soup")
    await chat.say("two")
    [summary] = await chat.say("at 12:30")
    assert summary.text.startswith("2 x Soup for Ada at 12:30")
    [end] = await chat.press(summary, "Yes")
    assert end.text == "Ordered!"


async def test_a_bad_answer(chat: Chat) -> None:
    """After an invalid answer, the prompt asks again."""
    await chat.say("hi")
    await chat.say("Ada")
    await chat.say("Pasta")
    [again] = await chat.say("ninety")
    assert again.text == "I did not get that. How many portions?"


async def test_interruptions(chat: Chat) -> None:
    """Help repeats the question; cancel ends the dialog."""
    await chat.say("hi")
    replies = await chat.say("help")
    assert replies[1].text == "Who is the order for?"
    [reply] = await chat.say("cancel")
    assert reply.text == "Cancelled. You can order again at any time."
    [reply] = await chat.say("hi")
    assert reply.text == "Who is the order for?"


@pytest.mark.chat(turns="Queued", storage="azurite")
async def test_queued_turns(chat: Chat) -> None:
    """The dialog continues in the next queued turn."""
    await chat.say("hi")
    [dishes] = await chat.say("Ada")
    assert dishes.text.startswith("What would you like?")
