from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    NumberPrompt,
    PromptOptions,
    WaterfallDialog,
    WaterfallStepContext,
)


class SumDialog(ComponentDialog):
    def __init__(self):
        super(SumDialog, self).__init__(SumDialog.__name__)
        self.add_dialog(self.__create_waterfall())
        self.add_dialog(NumberPrompt("number"))
        self.initial_dialog_id = "waterfall"

    def __create_waterfall(self) -> WaterfallDialog:
        return WaterfallDialog("waterfall", [self.__price, self.__given, self.__change])

    async def __price(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        return await step_context.prompt(
            "number", PromptOptions(prompt=MessageFactory.text("The price?"))
        )

    async def __given(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values["price"] = step_context.result
        return await step_context.prompt(
            "number", PromptOptions(prompt=MessageFactory.text("How much is given?"))
        )

    async def __change(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        change = step_context.result - step_context.values["price"]
        await step_context.context.send_activity(MessageFactory.text(f"Change: {change}"))
        return await step_context.end_dialog()
