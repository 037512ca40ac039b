"""A skill whose dialog signs the user in."""

SIGNING_IN = '''
from botbuilder.core import ActivityHandler
from botbuilder.dialogs import ComponentDialog, DialogExtensions, WaterfallDialog
from botbuilder.dialogs.prompts import OAuthPrompt, OAuthPromptSettings, PromptOptions


class MainDialog(ComponentDialog):
    """Ends with whether the user has a token."""

    def __init__(self):
        super().__init__("MainDialog")
        settings = OAuthPromptSettings(connection_name="mail", title="Sign in", text="Please")
        self.add_dialog(OAuthPrompt("sign in", settings))
        self.add_dialog(WaterfallDialog("steps", [self._ask, self._end]))
        self.initial_dialog_id = "steps"

    async def _ask(self, step):
        return await step.begin_dialog("sign in", PromptOptions())

    async def _end(self, step):
        return await step.end_dialog({"token": bool(step.result)})


class Skill(ActivityHandler):
    """Runs the dialog."""

    def __init__(self, services):
        self._state = services.conversation_state.create_property("dialog")
        self._dialog = MainDialog()

    async def on_message_activity(self, turn_context):
        await DialogExtensions.run_dialog(self._dialog, turn_context, self._state)


def create_bot(services):
    return Skill(services)
'''
