from botbuilder.core import MessageFactory, UserState
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)

from data_models import Guest
from dialogs.top_dialog import TopDialog


class MainDialog(ComponentDialog):
    def __init__(self, user_state: UserState):
        super(MainDialog, self).__init__(MainDialog.__name__)
        self.user_state = user_state
        self.add_dialog(TopDialog(TopDialog.__name__))
        self.add_dialog(WaterfallDialog("WFDialog", [self.initial_step, self.final_step]))
        self.initial_dialog_id = "WFDialog"

    async def initial_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        return await step_context.begin_dialog(TopDialog.__name__)

    async def final_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        guest: Guest = step_context.result
        films = " and ".join(guest.films) if guest.films else "no films"
        await step_context.context.send_activity(MessageFactory.text(f"You will see {films}."))

        accessor = self.user_state.create_property("Guest")
        await accessor.set(step_context.context, guest)
        return await step_context.end_dialog()
