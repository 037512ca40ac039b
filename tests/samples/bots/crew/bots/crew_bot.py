from typing import List

from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler, TeamsInfo, teams_get_channel_id
from botbuilder.schema import CardAction, ConversationParameters, HeroCard, Mention
from botbuilder.schema._connector_client_enums import ActionTypes
from botbuilder.schema.teams import TeamInfo, TeamsChannelAccount


class CrewBot(TeamsActivityHandler):
    def __init__(self, app_id: str, app_password: str):
        self._app_id = app_id
        self._app_password = app_password

    async def on_teams_members_added(
        self,
        teams_members_added: [TeamsChannelAccount],
        team_info: TeamInfo,
        turn_context: TurnContext,
    ):
        for member in teams_members_added:
            if member.id != turn_context.activity.recipient.id:
                await turn_context.send_activity(f"Welcome aboard, {member.given_name}.")

    async def on_message_activity(self, turn_context: TurnContext):
        TurnContext.remove_recipient_mention(turn_context.activity)
        text = turn_context.activity.text.strip().lower()
        if text == "mention":
            await self._mention(turn_context)
        elif text == "who":
            await self._who(turn_context)
        elif text == "all":
            await self._message_all_members(turn_context)
        elif text == "thread":
            await self._start_thread(turn_context)
        elif text == "update":
            await self._update_card(turn_context)
        elif text == "delete":
            await turn_context.delete_activity(turn_context.activity.reply_to_id)
        else:
            await turn_context.send_activity(
                MessageFactory.attachment(CardFactory.hero_card(self._card("Watch", 0)))
            )

    def _card(self, title: str, count: int) -> HeroCard:
        button = CardAction(
            type=ActionTypes.message_back, title="Next", text="update", value={"count": count}
        )
        return HeroCard(title=title, text=f"Watch {count}", buttons=[button])

    async def _update_card(self, turn_context: TurnContext):
        data = turn_context.activity.value
        data["count"] += 1
        card = self._card("Next watch", data["count"])
        updated = MessageFactory.attachment(CardFactory.hero_card(card))
        updated.id = turn_context.activity.reply_to_id
        await turn_context.update_activity(updated)

    async def _mention(self, turn_context: TurnContext):
        name = turn_context.activity.from_property.name
        mention = Mention(
            mentioned=turn_context.activity.from_property,
            text=f"<at>{name}</at>",
            type="mention",
        )
        reply = MessageFactory.text(f"Ahoy {mention.text}")
        reply.entities = [Mention().deserialize(mention.serialize())]
        await turn_context.send_activity(reply)

    async def _who(self, turn_context: TurnContext):
        TeamsChannelAccount: member = None
        try:
            member = await TeamsInfo.get_member(
                turn_context, turn_context.activity.from_property.id
            )
        except Exception as e:
            if "MemberNotFoundInConversation" in e.args[0]:
                await turn_context.send_activity("Nobody of the crew.")
            else:
                raise
        else:
            await turn_context.send_activity(f"{member.name}, {member.user_principal_name}")

    async def _message_all_members(self, turn_context: TurnContext):
        for member in await self._get_paged_members(turn_context):
            conversation_reference = TurnContext.get_conversation_reference(turn_context.activity)
            conversation_parameters = ConversationParameters(
                is_group=False,
                bot=turn_context.activity.recipient,
                members=[member],
                tenant_id=turn_context.activity.conversation.tenant_id,
            )

            async def get_ref(tc1):
                reference = TurnContext.get_conversation_reference(tc1.activity)
                return await tc1.adapter.continue_conversation(
                    reference, send_message, self._app_id
                )

            async def send_message(tc2: TurnContext):
                return await tc2.send_activity(f"All hands, {member.name}.")

            await turn_context.adapter.create_conversation(
                conversation_reference, get_ref, conversation_parameters
            )
        await turn_context.send_activity(MessageFactory.text("Everybody knows."))

    async def _get_paged_members(self, turn_context: TurnContext) -> List[TeamsChannelAccount]:
        members = []
        continuation_token = None
        while True:
            page = await TeamsInfo.get_paged_members(turn_context, continuation_token, 1)
            continuation_token = page.continuation_token
            members.extend(page.members)
            if continuation_token is None:
                break
        return [m for m in members if m.id != turn_context.activity.recipient.id]

    async def _start_thread(self, turn_context: TurnContext):
        params = ConversationParameters(
            is_group=True,
            channel_data={"channel": {"id": teams_get_channel_id(turn_context.activity)}},
            activity=MessageFactory.text("A new log"),
        )
        connector_client = await turn_context.adapter.create_connector_client(
            turn_context.activity.service_url
        )
        response = await connector_client.conversations.create_conversation(params)
        reference = TurnContext.get_conversation_reference(turn_context.activity)
        reference.conversation.id = response.id
        await turn_context.adapter.continue_conversation(reference, self._reply, self._app_id)

    async def _reply(self, turn_context: TurnContext):
        await turn_context.send_activity(MessageFactory.text("Its first entry"))
