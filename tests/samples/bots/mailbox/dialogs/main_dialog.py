from botbuilder.core import MessageFactory
from botbuilder.dialogs import DialogTurnResult, WaterfallDialog, WaterfallStepContext
from botbuilder.dialogs.prompts import (
    OAuthPrompt,
    OAuthPromptSettings,
    PromptOptions,
    TextPrompt,
)

from dialogs import LogoutDialog
from simple_mail_client import SimpleMailClient


class MainDialog(LogoutDialog):
    def __init__(self, connection_name: str):
        super(MainDialog, self).__init__(MainDialog.__name__, connection_name)

        self.add_dialog(
            OAuthPrompt(
                OAuthPrompt.__name__,
                OAuthPromptSettings(
                    connection_name=connection_name,
                    text="Please sign in",
                    title="Sign in",
                    timeout=300000,
                ),
            )
        )
        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(
            WaterfallDialog(
                "WFDialog",
                [self.prompt_step, self.login_step, self.command_step, self.process_step],
            )
        )
        self.initial_dialog_id = "WFDialog"

    async def prompt_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        return await step_context.begin_dialog(OAuthPrompt.__name__)

    async def login_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if step_context.result:
            await step_context.context.send_activity("You are signed in.")
            return await step_context.prompt(
                TextPrompt.__name__,
                PromptOptions(prompt=MessageFactory.text("Whose mail, 'mine' or 'ours'?")),
            )
        await step_context.context.send_activity("You are not signed in.")
        return await step_context.end_dialog()

    async def command_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values["command"] = step_context.result
        return await step_context.begin_dialog(OAuthPrompt.__name__)

    async def process_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if step_context.result and step_context.result.token:
            client = SimpleMailClient(step_context.result.token)
            command = step_context.values["command"]
            await step_context.context.send_activity(await client.count(command))
        else:
            await step_context.context.send_activity("We could not sign you in.")
        return await step_context.end_dialog()
