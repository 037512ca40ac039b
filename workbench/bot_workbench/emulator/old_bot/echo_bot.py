"""EchoBot: repeats what the user says."""

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import ChannelAccount

PREFIX = "Old bot: "


class EchoBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Greets each user and repeats each message, as BotBuilder's first sample does."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Repeat the message."""
        await turn_context.send_activity(f"{PREFIX}{turn_context.activity.text}")

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greet everyone but the bot itself."""
        for member in members_added:
            if member.id != turn_context.activity.recipient.id:
                await turn_context.send_activity(f"{PREFIX}welcome")
