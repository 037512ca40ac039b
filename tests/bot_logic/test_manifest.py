"""The Teams app offers what the sample bot does. Write your own bot's commands there."""

import json
from pathlib import Path

import pytest
from botbuilder.core import ConversationState, MemoryStorage

from bot_logic import cards
from bot_logic.bot import HELP, Bot
from bot_testing import Chat

APP = Path(__file__).parents[2]
MANIFEST = json.loads((APP / "app_package" / "manifest.json").read_text("utf-8"))
[BOT] = MANIFEST["bots"]
COMMANDS = [each["title"] for listed in BOT["commandLists"] for each in listed["commands"]]


def test_every_command_is_offered() -> None:
    """The manifest's commands are the bot's, in the same order."""
    bot = Bot(ConversationState(MemoryStorage()))
    assert list(bot.commands) == COMMANDS


@pytest.mark.chat(channel="msteams", skip_waits=True)
@pytest.mark.parametrize("command", COMMANDS)
async def test_the_bot_answers_the_command(chat: Chat, command: str) -> None:
    """In Teams, the bot answers each offered command with more than an echo."""
    replies = (await chat.say(command)).replies
    assert replies
    assert [reply.text for reply in replies] != [f"You said: {command}"]


def test_nothing_else_is_offered() -> None:
    """The manifest offers files and message extensions if the bot handles them, and no calls."""
    handlers = " ".join(vars(Bot))
    assert BOT["supportsFiles"] == ("file_consent" in handlers)
    assert ("composeExtensions" in MANIFEST) == ("messaging_extension" in handlers)
    assert not BOT["supportsCalling"]


def test_the_description_is_of_this_bot() -> None:
    """What the description promises is in the bot's own help."""
    assert "echoes" in MANIFEST["description"]["short"]
    assert "echo anything else" in HELP
    assert cards.pick_a_color().content["actions"]
