from botbuilder.core import (
    ActivityHandler,
    ConversationState,
    MessageFactory,
    TurnContext,
    UserState,
)

from data_models import Weight


class ScalesBot(ActivityHandler):
    def __init__(self, conversation_state: ConversationState, user_state: UserState):
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.conversation_state_accessor = conversation_state.create_property("Weight")
        self.user_state_accessor = user_state.create_property("Weight")

    async def on_turn(self, turn_context: TurnContext):
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context)
        await self.user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext):
        here = await self.conversation_state_accessor.get(turn_context, Weight)
        in_all = await self.user_state_accessor.get(turn_context, Weight)
        here.grams += 100
        in_all.grams += 100
        await turn_context.send_activity(
            MessageFactory.text(f"{here.grams} g here, {in_all.grams} g in all.")
        )
