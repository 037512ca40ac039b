"""Classes in state."""

from bot_testing import Chat


async def test_a_list(chat: Chat) -> None:
    """The list grows from turn to turn, and is sorted by urgency."""
    await chat.say("bread")
    [reply] = await chat.say("milk!")
    assert reply.text == "Added. That makes 2."
    [reply] = await chat.say("list")
    assert reply.text == "- milk (urgent)\n- bread (normal)"
