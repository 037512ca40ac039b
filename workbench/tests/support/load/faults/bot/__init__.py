"""A bot that counts, and notes when it asks for its state and when it has it."""

import time
from pathlib import Path

from botbuilder.core import ActivityHandler, ConversationState, TurnContext

from cloud_adapter.bot.services import BotServices

JOURNAL = "StateJournal"
"""The setting with the path of the file that gets a line for each note: `asked` or `got`, the
activity's id, and the time in seconds since the epoch."""


class CountingBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Counts the messages of each conversation.

    Args:
        conversation_state: has the count, in the property `counter`.
        journal: the file that JOURNAL names.
    """

    def __init__(self, conversation_state: ConversationState, journal: Path) -> None:
        self._counter = conversation_state.create_property("counter")
        self._journal = journal

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Count, and say how far."""
        self._note("asked", turn_context)
        count = await self._counter.get(turn_context, lambda: 0) + 1
        self._note("got", turn_context)
        await self._counter.set(turn_context, count)
        await turn_context.send_activity(f"Count: {count}")

    def _note(self, event: str, turn_context: TurnContext) -> None:
        with self._journal.open("a") as journal:
            journal.write(f"{event} {turn_context.activity.id} {time.time()}\n")


def create_bot(services: BotServices) -> CountingBot:
    """The bot."""
    services.typing_indicator = False
    return CountingBot(services.conversation_state, Path(services.settings[JOURNAL]))
