"""Multilingual."""

from bot_testing import Chat


async def test_german(chat: Chat) -> None:
    """The user speaks German, the bot English; the language is remembered."""
    [reply] = await chat.say("Deutsch")
    assert reply.text == "Ich spreche jetzt deine Sprache."
    [reply] = await chat.say("Wetter")
    assert reply.text == "Es ist sonnig."
    [reply] = await chat.user("Grace").say("weather")
    assert reply.text == "It is sunny."
