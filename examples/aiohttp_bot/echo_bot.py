"""EchoBot."""

from botbuilder.core import ActivityHandler, TurnContext


class EchoBot(ActivityHandler):
    """Echoes messages."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Echo a message."""
        await turn_context.send_activity(f"You said: {turn_context.activity.text}")
