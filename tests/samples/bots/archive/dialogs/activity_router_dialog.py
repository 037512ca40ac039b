from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    DialogTurnStatus,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.schema import ActivityTypes, InputHints

from .filing_dialog import FilingDialog
from .paper import Paper


class ActivityRouterDialog(ComponentDialog):
    def __init__(self):
        super().__init__(ActivityRouterDialog.__name__)
        self.add_dialog(FilingDialog())
        self.add_dialog(WaterfallDialog(WaterfallDialog.__name__, [self.process_activity]))
        self.initial_dialog_id = WaterfallDialog.__name__

    async def process_activity(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        activity = step_context.context.activity
        await step_context.context.send_trace_activity(
            f"{ActivityRouterDialog.__name__}.process_activity()", label=f"Got {activity.type}"
        )
        if activity.type == ActivityTypes.event and activity.name == "File":
            paper = Paper()
            if activity.value:
                paper.from_json(activity.value)
            dialog = await self.find_dialog(FilingDialog.__name__)
            return await step_context.begin_dialog(dialog.id, paper)
        text = "There are 3 papers." if activity.name == "Count" else f"Read: {activity.text}"
        await step_context.context.send_activity(
            MessageFactory.text(text, text, InputHints.ignoring_input)
        )
        return DialogTurnResult(DialogTurnStatus.Complete)
