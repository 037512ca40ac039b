"""A bot that calls `sys.exit` while its author writes it."""

from tests.runs.reload.conftest import StartTalk
from tests.support.reload.versions import bot_of
from tests.support.timing.condition import comes_true

LEAVES = """
import asyncio
import sys


async def leave():
    sys.exit(3)
"""


async def test_an_exit_in_a_task(start_talk: StartTalk) -> None:
    """The terminal shows the place, and another process runs the bot."""
    before, rest = bot_of("V1").split("        await turn.send_activity")
    leaves = '        if text == "leave":\n            await asyncio.gather(leave())\n'
    bot = f"{LEAVES}{before}{leaves}        await turn.send_activity{rest}"
    async with start_talk({"bot.py": bot}) as talk:
        assert await talk.says("leave") == 500
        await comes_true(lambda: "ended (exit code 70)" in talk.app.output)
        assert "the bot's code called sys.exit(3) in a task that it created" in talk.app.output
        assert 'bot_logic/bot.py", line 7, in leave' in talk.app.output
        assert await talk.reply("hello") == "V1 1 hello"


async def test_an_exit_at_the_start(start_talk: StartTalk) -> None:
    """It is a fault of the code, in one line, until the next save."""
    async with start_talk() as talk:
        talk.app.save("__init__.py", "import sys\n\n\ndef create_bot(services):\n    sys.exit(3)\n")
        broken = await talk.app.reported("broken", 1)
        assert broken["text"].startswith("bot_logic/__init__.py:5 cloud_adapter.errors.BotExited: ")
        assert await talk.reply("hello") == "V1 1 hello"
