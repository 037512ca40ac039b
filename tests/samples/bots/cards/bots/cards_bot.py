from botbuilder.core import ActivityHandler, MessageFactory, TurnContext
from botbuilder.dialogs import DialogExtensions
from botbuilder.schema import ActionTypes, CardAction, SuggestedActions


class CardsBot(ActivityHandler):
    def __init__(self, conversation_state, user_state, dialog):
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.dialog = dialog

    async def on_turn(self, turn_context: TurnContext):
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context, False)
        await self.user_state.save_changes(turn_context, False)

    async def on_message_activity(self, turn_context: TurnContext):
        if turn_context.activity.text == "taste":
            return await self._ask_for_taste(turn_context)
        return await DialogExtensions.run_dialog(
            self.dialog, turn_context, self.conversation_state.create_property("DialogState")
        )

    async def _ask_for_taste(self, turn_context: TurnContext):
        reply = MessageFactory.text("Sweet or sour?")
        reply.suggested_actions = SuggestedActions(
            actions=[
                CardAction(title=taste, type=ActionTypes.im_back, value=taste)
                for taste in ("Sweet", "Sour")
            ]
        )
        return await turn_context.send_activity(reply)
