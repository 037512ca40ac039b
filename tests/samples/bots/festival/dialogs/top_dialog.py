from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import NumberPrompt, PromptOptions, TextPrompt

from data_models import Guest
from dialogs.selection_dialog import SelectionDialog


class TopDialog(ComponentDialog):
    def __init__(self, dialog_id: str = None):
        super(TopDialog, self).__init__(dialog_id or TopDialog.__name__)
        self.GUEST = "value-guest"
        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(NumberPrompt(NumberPrompt.__name__))
        self.add_dialog(SelectionDialog(SelectionDialog.__name__))
        self.add_dialog(
            WaterfallDialog(
                "WFDialog", [self.name_step, self.age_step, self.selection_step, self.thanks_step]
            )
        )
        self.initial_dialog_id = "WFDialog"

    async def name_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values[self.GUEST] = Guest()
        return await step_context.prompt(
            TextPrompt.__name__, PromptOptions(prompt=MessageFactory.text("What is your name?"))
        )

    async def age_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        guest = step_context.values[self.GUEST]
        guest.name = step_context.result
        return await step_context.prompt(
            NumberPrompt.__name__, PromptOptions(prompt=MessageFactory.text("How old are you?"))
        )

    async def selection_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        guest: Guest = step_context.values[self.GUEST]
        guest.age = step_context.result
        if guest.age < 16:
            await step_context.context.send_activity(MessageFactory.text("Only from 16 on."))
            return await step_context.next([])
        return await step_context.begin_dialog(SelectionDialog.__name__)

    async def thanks_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        guest: Guest = step_context.values[self.GUEST]
        guest.films = step_context.result
        await step_context.context.send_activity(MessageFactory.text(f"Thank you, {guest.name}."))
        return await step_context.end_dialog(guest)
