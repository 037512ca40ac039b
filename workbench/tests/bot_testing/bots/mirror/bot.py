"""MirrorBot: sends back what it gets, as the value of an event."""

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationParameters

from cloud_adapter.bot.services import BotServices
from cloud_adapter.codec import write_value


class MirrorBot:
    """Mirrors every activity; `alone` also sends a message in a new conversation with the user."""

    def __init__(self, services: BotServices) -> None:
        self._services = services

    async def on_turn(self, context: TurnContext) -> None:
        """A turn."""
        activity = context.activity
        await context.send_activity(
            Activity(type=ActivityTypes.event, value=write_value(activity), name="mirror")
        )
        if activity.text == "alone":
            await self._write_alone(activity)
        if activity.text == "update":
            sent = await context.send_activity("old")
            await context.update_activity(Activity(type="message", id=sent.id, text="new"))
            gone = await context.send_activity("gone")
            await context.delete_activity(gone.id)

    async def _write_alone(self, activity: Activity) -> None:
        async def send(turn: TurnContext) -> None:
            await turn.send_activity("Just for you.")

        await self._services.adapter.create_conversation(
            TurnContext.get_conversation_reference(activity),
            send,
            ConversationParameters(bot=activity.recipient, members=[activity.from_property]),
        )
