"""LunchBot: passes each message to the dialog."""

from botbuilder.core import ActivityHandler, ConversationState, TurnContext
from botbuilder.dialogs import DialogExtensions

from .lunch_dialog import LunchDialog


class LunchBot(ActivityHandler):
    """Orders lunch.

    Args:
        conversation_state: stores how far the dialog has come.
    """

    def __init__(self, conversation_state: ConversationState) -> None:
        super().__init__()
        self._dialog = LunchDialog()
        self._dialog_state = conversation_state.create_property("dialog")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Start the dialog, or continue it."""
        await DialogExtensions.run_dialog(self._dialog, turn_context, self._dialog_state)
