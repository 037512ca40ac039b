import re

from botbuilder.core import MessageFactory
from botbuilder.dialogs import DialogTurnResult, WaterfallDialog, WaterfallStepContext
from botbuilder.dialogs.prompts import (
    DateTimePrompt,
    DateTimeResolution,
    PromptOptions,
    PromptValidatorContext,
)
from botbuilder.schema import InputHints

from .cancel_and_help_dialog import CancelAndHelpDialog


def is_definite(timex: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", timex))


class DateResolverDialog(CancelAndHelpDialog):
    def __init__(self, dialog_id: str = None):
        super(DateResolverDialog, self).__init__(dialog_id or DateResolverDialog.__name__)

        self.add_dialog(DateTimePrompt(DateTimePrompt.__name__, DateResolverDialog.date_validator))
        self.add_dialog(
            WaterfallDialog(WaterfallDialog.__name__ + "2", [self.initial_step, self.final_step])
        )
        self.initial_dialog_id = WaterfallDialog.__name__ + "2"

    async def initial_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        timex = step_context.options
        prompt = MessageFactory.text("On which day?", "On which day?", InputHints.expecting_input)
        again = MessageFactory.text(
            "Please say it with month, day and year.", None, InputHints.expecting_input
        )
        if timex is None:
            return await step_context.prompt(
                DateTimePrompt.__name__, PromptOptions(prompt=prompt, retry_prompt=again)
            )
        if not is_definite(timex):
            return await step_context.prompt(DateTimePrompt.__name__, PromptOptions(prompt=again))
        return await step_context.next([DateTimeResolution(timex=timex)])

    async def final_step(self, step_context: WaterfallStepContext):
        return await step_context.end_dialog(step_context.result[0].timex)

    @staticmethod
    async def date_validator(prompt_context: PromptValidatorContext) -> bool:
        if prompt_context.recognized.succeeded:
            return is_definite(prompt_context.recognized.value[0].timex.split("T")[0])
        return False
