"""A bot whose code is saved again and again: what it says shows which code runs."""

INIT = """
from .bot import Bot


def create_bot(services):
    return Bot(services.conversation_state)
"""

BOT = '''
import asyncio
import os
import time
from pathlib import Path

from botbuilder.core import ActivityHandler

VERSION = "{version}"


class Bot(ActivityHandler):
    """Counts the messages of a conversation; a test says when a held one goes on."""

    def __init__(self, state):
        self._count = state.create_property("count")

    async def on_message_activity(self, turn):
        count = await self._count.get(turn, lambda: 0) + 1
        await self._count.set(turn, count)
        text = turn.activity.text
        if text in ("wait", "block"):
            Path(os.environ["Held"]).touch()
            while not Path(os.environ["Go"]).exists():
                if text == "wait":
                    await asyncio.sleep(0.02)
                else:
                    time.sleep(0.02)  # as a breakpoint does, this holds the event loop
        await turn.send_activity(f"{{VERSION}} {{count}} {{text}}")
'''


def bot_of(version: str) -> str:
    """The content of bot.py."""
    return BOT.format(version=version)
