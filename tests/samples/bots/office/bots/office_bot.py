from botbuilder.core import ActivityHandler, ConversationState, TurnContext
from botbuilder.dialogs import Dialog, DialogExtensions
from botbuilder.schema import ActivityTypes


class OfficeBot(ActivityHandler):
    def __init__(self, conversation_state: ConversationState, main_dialog: Dialog):
        self._conversation_state = conversation_state
        self._main_dialog = main_dialog

    async def on_turn(self, turn_context: TurnContext):
        if turn_context.activity.type != ActivityTypes.conversation_update:
            await DialogExtensions.run_dialog(
                self._main_dialog,
                turn_context,
                self._conversation_state.create_property("DialogState"),
            )
        else:
            await super().on_turn(turn_context)

        await self._conversation_state.save_changes(turn_context)
