from typing import List

from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice, FoundChoice
from botbuilder.dialogs.prompts import ChoicePrompt, PromptOptions


class SelectionDialog(ComponentDialog):
    def __init__(self, dialog_id: str = None):
        super(SelectionDialog, self).__init__(dialog_id or SelectionDialog.__name__)
        self.SELECTED = "value-selected"
        self.DONE = "done"
        self.films = ["The Lighthouse", "Two Rivers", "Winter Apples"]
        self.add_dialog(ChoicePrompt(ChoicePrompt.__name__))
        self.add_dialog(
            WaterfallDialog(WaterfallDialog.__name__, [self.selection_step, self.loop_step])
        )
        self.initial_dialog_id = WaterfallDialog.__name__

    async def selection_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        selected: List[str] = step_context.options if step_context.options is not None else []
        step_context.values[self.SELECTED] = selected
        left = [film for film in self.films if film not in selected]
        return await step_context.prompt(
            ChoicePrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text(f"Which film? ({len(selected)} chosen)"),
                retry_prompt=MessageFactory.text("We do not show that one."),
                choices=[Choice(value=film) for film in [*left, self.DONE]],
            ),
        )

    async def loop_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        selected: List[str] = step_context.values[self.SELECTED]
        choice: FoundChoice = step_context.result
        done = choice.value == self.DONE
        if not done:
            selected.append(choice.value)
        if done or len(selected) >= 2:
            return await step_context.end_dialog(selected)
        return await step_context.replace_dialog(self.initial_dialog_id, selected)
