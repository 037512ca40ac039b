"""EchoBot."""

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import ChannelAccount


class EchoBot(ActivityHandler):
    """Greets whoever joins, and echoes messages."""

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greet the users, not the bot itself."""
        bot_id = turn_context.activity.recipient.id
        if any(member.id != bot_id for member in members_added):
            await turn_context.send_activity("Hello! I echo what you say.")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Echo a message."""
        await turn_context.send_activity(f"You said: {turn_context.activity.text}")
