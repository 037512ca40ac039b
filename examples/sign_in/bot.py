"""SignInBot: signs users in and out."""

from botbuilder.core import ConversationState, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.dialogs import DialogExtensions

from .sign_in_dialog import SignInDialog


class SignInBot(TeamsActivityHandler):
    """Every message needs a signed-in user; `logout` signs out.

    Args:
        conversation_state: remembers that a sign-in is under way.
        connection: the name of the OAuth connection.
    """

    def __init__(self, conversation_state: ConversationState, connection: str) -> None:
        super().__init__()
        self._connection = connection
        self._dialog = SignInDialog(connection)
        self._dialog_state = conversation_state.create_property("sign-in")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Sign the user out, or go on with the dialog."""
        if (turn_context.activity.text or "").strip().lower() == "logout":
            await turn_context.adapter.sign_out_user(turn_context, self._connection)
            await turn_context.send_activity("You are signed out.")
        else:
            await self._go_on(turn_context)

    async def on_token_response_event(self, turn_context: TurnContext) -> None:
        """The channel has signed the user in."""
        await self._go_on(turn_context)

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        """The user has closed the sign-in window."""
        await self._go_on(turn_context)

    async def on_teams_signin_token_exchange(self, turn_context: TurnContext) -> None:
        """Teams offers the user's token: single sign-on."""
        await self._go_on(turn_context)

    async def _go_on(self, turn_context: TurnContext) -> None:
        await DialogExtensions.run_dialog(self._dialog, turn_context, self._dialog_state)
