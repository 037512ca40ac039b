"""LunchBot: each message goes to the dialog."""

from botbuilder.core import ActivityHandler, ConversationState, TurnContext
from botbuilder.dialogs import DialogExtensions

from .lunch_dialog import LunchDialog


class LunchBot(ActivityHandler):
    """Orders lunch.

    Args:
        conversation_state: remembers where in the dialog the conversation is.
    """

    def __init__(self, conversation_state: ConversationState) -> None:
        super().__init__()
        self._dialog = LunchDialog()
        self._dialog_state = conversation_state.create_property("dialog")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Start the dialog, or go on with it."""
        await DialogExtensions.run_dialog(self._dialog, turn_context, self._dialog_state)
