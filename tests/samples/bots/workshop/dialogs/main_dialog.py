from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import PromptOptions, TextPrompt
from botbuilder.schema import InputHints

from intent_recognizer import IntentRecognizer
from repair_details import RepairDetails

from .repair_dialog import RepairDialog


class MainDialog(ComponentDialog):
    def __init__(self, recognizer: IntentRecognizer, repair_dialog: RepairDialog):
        super(MainDialog, self).__init__(MainDialog.__name__)

        self._recognizer = recognizer
        self._repair_dialog_id = repair_dialog.id

        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(repair_dialog)
        self.add_dialog(
            WaterfallDialog("WFDialog", [self.intro_step, self.act_step, self.final_step])
        )
        self.initial_dialog_id = "WFDialog"

    async def intro_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if not self._recognizer.is_configured:
            await step_context.context.send_activity(
                MessageFactory.text(
                    "No recognizer is configured.", input_hint=InputHints.ignoring_input
                )
            )
            return await step_context.next(None)
        text = str(step_context.options) if step_context.options else "What can we do for you?"
        prompt = MessageFactory.text(text, text, InputHints.expecting_input)
        return await step_context.prompt(TextPrompt.__name__, PromptOptions(prompt=prompt))

    async def act_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if not self._recognizer.is_configured:
            return await step_context.begin_dialog(self._repair_dialog_id, RepairDetails())
        details = await self._recognizer.recognize(step_context.context)
        return await step_context.begin_dialog(self._repair_dialog_id, details)

    async def final_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if step_context.result is not None:
            details = step_context.result
            text = f"We expect your {details.thing} ({details.fault}) on {details.day}."
            await step_context.context.send_activity(
                MessageFactory.text(text, text, InputHints.ignoring_input)
            )
        return await step_context.replace_dialog(self.id, "What else can we do for you?")
