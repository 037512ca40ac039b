"""The counter bot of the benchmark, in the place of bot_logic: it does what the peers' bots do."""

from collections.abc import Sequence
from typing import Any

from botbuilder.core import ActivityHandler, TurnContext

COUNTS = "BENCH_COUNTS"
"""The setting that says what it counts for: `conversation`, `conversation user`, or nothing."""


class CounterBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Replies with the number of messages.

    Args:
        counts: properties of state; the first one's value is in the reply, 0 without any.
    """

    def __init__(self, counts: Sequence[Any]) -> None:
        super().__init__()
        self._counts = counts

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Count a message."""
        found = [await _increment(count, turn_context) for count in self._counts]
        await turn_context.send_activity(f"{found[0] if found else 0} {turn_context.activity.text}")


async def _increment(count: Any, turn_context: TurnContext) -> int:
    value: int = await count.get(turn_context, lambda: 0) + 1
    await count.set(turn_context, value)
    return value


def create_bot(services: Any) -> CounterBot:
    """The bot."""
    states = {"conversation": services.conversation_state, "user": services.user_state}
    counts = services.settings[COUNTS].split()
    return CounterBot([states[name].create_property("count") for name in counts])
