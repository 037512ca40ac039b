from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import ConfirmPrompt, PromptOptions, TextPrompt


class FilingDialog(ComponentDialog):
    def __init__(self, dialog_id: str = None):
        super(FilingDialog, self).__init__(dialog_id or FilingDialog.__name__)
        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(ConfirmPrompt(ConfirmPrompt.__name__))
        self.add_dialog(
            WaterfallDialog(
                WaterfallDialog.__name__, [self.name_step, self.confirm_step, self.final_step]
            )
        )
        self.initial_dialog_id = WaterfallDialog.__name__

    async def name_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        paper = step_context.options
        if paper.name is None:
            return await step_context.prompt(
                TextPrompt.__name__, PromptOptions(prompt=MessageFactory.text("File what?"))
            )
        return await step_context.next(paper.name)

    async def confirm_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        paper = step_context.options
        paper.name = step_context.result
        return await step_context.prompt(
            ConfirmPrompt.__name__,
            PromptOptions(prompt=MessageFactory.text(f"File {paper.name}?")),
        )

    async def final_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if step_context.result:
            return await step_context.end_dialog({"filed": step_context.options.name})
        return await step_context.end_dialog()
