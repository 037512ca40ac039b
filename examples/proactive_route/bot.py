"""InboxBot."""

from botbuilder.core import ActivityHandler, TurnContext


class InboxBot(ActivityHandler):
    """Tells users the id under which other systems can write to them."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer any message."""
        conversation = turn_context.activity.conversation.id
        await turn_context.send_activity(f"Write to me here: {conversation}")
