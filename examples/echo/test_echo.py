"""The echo example."""

from bot_testing import Chat


async def test_an_echo(chat: Chat) -> None:
    """The bot repeats what the user says."""
    [reply] = await chat.say("hello")
    assert reply.text == "You said: hello"
