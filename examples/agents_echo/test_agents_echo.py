"""Echo, as an application of the Agents SDK."""

from bot_testing import Chat


async def test_greets(chat: Chat) -> None:
    """Whoever joins is greeted."""
    [reply] = await chat.join()
    assert reply.text == "Hello! I echo what you say."


async def test_echoes(chat: Chat) -> None:
    """A message comes back."""
    [reply] = await chat.say("hi")
    assert reply.text == "You said: hi"
