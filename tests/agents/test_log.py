"""What the SDK logs in a turn."""

import logging
import sys

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.chat(bot="tests/agents/bots/tour")


async def test_lines_of_a_turn(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """They are the base's, without what the user wrote; below WARNING, there are none."""
    chat.bot.parts.adapter.redact = True  # as in Azure
    await chat.say("log marmalade")
    lines = [each for each in caplog.records if each.name == "cloud_adapter.agents.bot"]
    assert [each.getMessage() for each in lines if each.levelno == logging.WARNING] == [
        "microsoft_agents.tour: the guest tells [redacted]"
    ]
    assert not [each for each in lines if "not to be logged" in each.getMessage()]


async def test_no_other_handler_gets_them(chat: Chat) -> None:
    """Neither the host's nor those that the bot's modules have added."""
    await chat.say("log marmalade")
    assert not sys.modules["bot_logic"].LINES.getvalue()
    assert not logging.getLogger("microsoft_agents").propagate
