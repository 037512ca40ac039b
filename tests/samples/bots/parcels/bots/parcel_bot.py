from botbuilder.core import ActivityHandler, ConversationState, TurnContext, UserState
from botbuilder.dialogs import Dialog, DialogManager


class ParcelBot(ActivityHandler):
    def __init__(
        self, conversation_state: ConversationState, user_state: UserState, dialog: Dialog
    ):
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.dialog_manager = DialogManager(dialog, "ParcelDialogState")
        self.dialog_manager.conversation_state = conversation_state
        self.dialog_manager.user_state = user_state

    async def on_turn(self, turn_context: TurnContext):
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context)
        await self.user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext):
        await self.dialog_manager.on_turn(turn_context)
