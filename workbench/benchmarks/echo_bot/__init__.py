"""The bot of the benchmark, in the place of bot_logic: it does what the peers' bots do."""

from botbuilder.core import ActivityHandler, TurnContext


class MeasuredBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Echoes messages."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Echo a message."""
        await turn_context.send_activity(f"You said: {turn_context.activity.text}")


def create_bot(services: object) -> MeasuredBot:  # noqa: ARG001  # as the base calls it
    """The bot."""
    return MeasuredBot()
