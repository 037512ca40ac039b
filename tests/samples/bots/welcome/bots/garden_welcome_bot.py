from typing import List

from botbuilder.core import ActivityHandler, CardFactory, MessageFactory, TurnContext, UserState
from botbuilder.schema import ActionTypes, CardAction, CardImage, ChannelAccount, HeroCard

from data_models import Visitor


class GardenWelcomeBot(ActivityHandler):
    def __init__(self, user_state: UserState):
        if user_state is None:
            raise TypeError("[GardenWelcomeBot]: user_state is required")
        self._user_state = user_state
        self.visitor_accessor = user_state.create_property("Visitor")

    async def on_turn(self, turn_context: TurnContext):
        await super().on_turn(turn_context)
        await self._user_state.save_changes(turn_context)

    async def on_members_added_activity(
        self, members_added: List[ChannelAccount], turn_context: TurnContext
    ):
        for member in members_added:
            if member.id != turn_context.activity.recipient.id:
                await turn_context.send_activity(f"Welcome to the garden, {member.name}.")
                await turn_context.send_activity(f"Your locale is {turn_context.activity.locale}.")

    async def on_message_activity(self, turn_context: TurnContext):
        visitor = await self.visitor_accessor.get(turn_context, Visitor)
        visitor.messages += 1
        if not visitor.was_greeted:
            visitor.was_greeted = True
            await turn_context.send_activity("This is your first message to us.")
            return
        if turn_context.activity.text.lower() == "tour":
            await self.__send_tour(turn_context)
        else:
            await turn_context.send_activity(f"Message {visitor.messages}: welcome back.")

    async def __send_tour(self, turn_context: TurnContext):
        card = HeroCard(
            title="A tour of the beds",
            images=[CardImage(url="https://example.org/beds.png")],
            buttons=[
                CardAction(
                    type=ActionTypes.open_url, title="The map", value="https://example.org/map"
                )
            ],
        )
        return await turn_context.send_activity(
            MessageFactory.attachment(CardFactory.hero_card(card))
        )
