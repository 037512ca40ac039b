"""A bot that counts, and whose turns take as long, or end as badly, as a message says."""

import asyncio
import os
import time
from pathlib import Path

from botbuilder.core import ActivityHandler, ConversationState, TurnContext

from cloud_adapter.bot.services import BotServices

JOURNAL = "TurnJournal"
"""The setting with the path of the file in which each run of a turn writes a line when it begins:
the time in seconds since the epoch, the process id, and the activity's id."""


class DyingBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Takes the steps that a message's text names, separated by commas, then counts and replies.

    - `wait SECONDS`: awaits so long.
    - `block SECONDS`: blocks the event loop so long.
    - `exit`: ends the process at once.

    Args:
        conversation_state: has the count, in the property `counter`.
        journal: the file that JOURNAL names.
    """

    def __init__(self, conversation_state: ConversationState, journal: Path) -> None:
        self._counter = conversation_state.create_property("counter")
        self._journal = journal

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Do what the text says."""
        self._note_begin(turn_context.activity.id)
        for step in turn_context.activity.text.split(", "):
            match step.split():
                case ["wait", seconds]:
                    await asyncio.sleep(float(seconds))
                case ["block", seconds]:
                    time.sleep(float(seconds))  # noqa: ASYNC251  # the fault that is asked for
                case ["exit"]:
                    os._exit(1)
        count = await self._counter.get(turn_context, lambda: 0) + 1
        await self._counter.set(turn_context, count)
        await turn_context.send_activity(f"Count: {count}")

    def _note_begin(self, activity_id: str) -> None:
        with self._journal.open("a") as journal:
            journal.write(f"{time.time()} {os.getpid()} {activity_id}\n")


def create_bot(services: BotServices) -> DyingBot:
    """The bot."""
    return DyingBot(services.conversation_state, Path(services.settings[JOURNAL]))
