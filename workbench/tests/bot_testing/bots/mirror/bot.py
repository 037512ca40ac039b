"""MirrorBot: sends back what it gets, as the value of an event."""

from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.core.teams import TeamsInfo
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    CardAction,
    ConversationParameters,
    HeroCard,
)

from cloud_adapter.bot.services import BotServices
from cloud_adapter.codec import write_value


class MirrorBot:
    """Mirrors every activity; the texts below do more.

    `alone` sends a message in a new conversation with the user; `message back` a card with such a
    button; `members` an event with all members, those of the first page, and the sender.
    """

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
        if activity.text == "message back":
            button = CardAction(type="messageBack", title="Go", text="go", display_text="I go.")
            card = CardFactory.hero_card(HeroCard(buttons=[button]))
            await context.send_activity(MessageFactory.attachment(card))
        if str(activity.text).endswith("members"):
            await self._show_members(context)
        if activity.text == "update":
            sent = await context.send_activity("old")
            await context.update_activity(Activity(type="message", id=sent.id, text="new"))
            gone = await context.send_activity("gone")
            await context.delete_activity(gone.id)

    async def _show_members(self, context: TurnContext) -> None:
        page = await TeamsInfo.get_paged_members(context, page_size=2)
        shown = {
            "all": await TeamsInfo.get_members(context),
            "page": page.members,
            "sender": await TeamsInfo.get_member(context, context.activity.from_property.id),
        }
        await context.send_activity(Activity(type=ActivityTypes.event, value=write_value(shown)))

    async def _write_alone(self, activity: Activity) -> None:
        async def send(turn: TurnContext) -> None:
            await turn.send_activity("Just for you.")

        await self._services.adapter.create_conversation(
            TurnContext.get_conversation_reference(activity),
            send,
            ConversationParameters(bot=activity.recipient, members=[activity.from_property]),
        )
