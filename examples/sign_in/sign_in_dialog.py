"""SignInDialog: gets the user's token, and uses it."""

from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import OAuthPrompt, OAuthPromptSettings

TIMEOUT_MILLISECONDS = 300_000


class SignInDialog(ComponentDialog):
    """Signs in, then says so.

    Args:
        connection: the name of the OAuth connection.
    """

    def __init__(self, connection: str) -> None:
        super().__init__("sign-in")
        settings = OAuthPromptSettings(
            connection_name=connection,
            text="Please sign in.",
            title="Sign in",
            timeout=TIMEOUT_MILLISECONDS,
            end_on_invalid_message=True,
        )
        self.add_dialog(OAuthPrompt("token", settings))
        self.add_dialog(WaterfallDialog("steps", [self.ask, self.use]))
        self.initial_dialog_id = "steps"

    async def ask(self, step: WaterfallStepContext) -> DialogTurnResult:
        """Show the sign-in card, unless the user is signed in already."""
        return await step.begin_dialog("token")

    async def use(self, step: WaterfallStepContext) -> DialogTurnResult:
        """Say how it ended. `get_user_token` of the adapter returns the token."""
        text = "You are signed in." if step.result else "You are not signed in."
        await step.context.send_activity(text)
        return await step.end_dialog()
