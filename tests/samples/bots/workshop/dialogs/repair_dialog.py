from botbuilder.core import MessageFactory
from botbuilder.dialogs import DialogTurnResult, WaterfallDialog, WaterfallStepContext
from botbuilder.dialogs.prompts import ConfirmPrompt, PromptOptions, TextPrompt
from botbuilder.schema import InputHints

from .cancel_and_help_dialog import CancelAndHelpDialog
from .date_resolver_dialog import DateResolverDialog, is_definite


class RepairDialog(CancelAndHelpDialog):
    def __init__(self, dialog_id: str = None):
        super(RepairDialog, self).__init__(dialog_id or RepairDialog.__name__)

        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(ConfirmPrompt(ConfirmPrompt.__name__))
        self.add_dialog(DateResolverDialog(DateResolverDialog.__name__))
        self.add_dialog(
            WaterfallDialog(
                WaterfallDialog.__name__,
                [
                    self.thing_step,
                    self.fault_step,
                    self.day_step,
                    self.confirm_step,
                    self.final_step,
                ],
            )
        )
        self.initial_dialog_id = WaterfallDialog.__name__

    async def thing_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        details = step_context.options
        if details.thing is None:
            return await self._ask(step_context, "What is broken?")
        return await step_context.next(details.thing)

    async def fault_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        details = step_context.options
        details.thing = step_context.result
        if details.fault is None:
            return await self._ask(step_context, f"What is wrong with the {details.thing}?")
        return await step_context.next(details.fault)

    async def day_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        details = step_context.options
        details.fault = step_context.result
        if not details.day or not is_definite(details.day):
            return await step_context.begin_dialog(DateResolverDialog.__name__, details.day)
        return await step_context.next(details.day)

    async def confirm_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        details = step_context.options
        details.day = step_context.result
        text = f"A {details.thing}, {details.fault}, on {details.day}: shall we?"
        prompt = MessageFactory.text(text, text, InputHints.expecting_input)
        return await step_context.prompt(ConfirmPrompt.__name__, PromptOptions(prompt=prompt))

    async def final_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if step_context.result:
            return await step_context.end_dialog(step_context.options)
        return await step_context.end_dialog()

    async def _ask(self, step_context: WaterfallStepContext, text: str) -> DialogTurnResult:
        prompt = MessageFactory.text(text, text, InputHints.expecting_input)
        return await step_context.prompt(TextPrompt.__name__, PromptOptions(prompt=prompt))
