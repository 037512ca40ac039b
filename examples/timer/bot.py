"""ReminderBot."""

from botbuilder.core import ActivityHandler, TurnContext


class ReminderBot(ActivityHandler):
    """Says what it does. From its first message on, a conversation gets reminders."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer any message."""
        await turn_context.send_activity("I will remind you every morning at nine (UTC).")
