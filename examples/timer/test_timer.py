"""Timer."""

import pytest

from bot_testing import Chat


@pytest.mark.chat(storage="azurite")
async def test_a_reminder(chat: Chat) -> None:
    """Whoever has talked to the bot is reminded."""
    await chat.say("hi")
    await chat.run_timer("remind")
    assert (await chat.next_reply()).text == "Good morning! Please log your hours."
