"""LunchDialog: takes an order, one question at a time."""

from botbuilder.core import MessageFactory
from botbuilder.dialogs import (
    ComponentDialog,
    DialogContext,
    DialogTurnResult,
    DialogTurnStatus,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice
from botbuilder.dialogs.prompts import (
    ChoicePrompt,
    ConfirmPrompt,
    DateTimePrompt,
    NumberPrompt,
    PromptOptions,
    PromptValidatorContext,
    TextPrompt,
)

HELP = "I take your lunch order. Say **cancel** to stop. Now, where were we?"
MAX_PORTIONS = 5


class LunchDialog(ComponentDialog):
    """Five prompts; **help** and **cancel** interrupt each of them."""

    def __init__(self) -> None:
        super().__init__("lunch")
        steps = [self.ask_name, self.ask_dish, self.ask_portions, self.ask_time, self.confirm]
        self.add_dialog(WaterfallDialog("order", [*steps, self.finish]))
        self.add_dialog(TextPrompt("name"))
        self.add_dialog(ChoicePrompt("dish"))
        self.add_dialog(NumberPrompt("portions", validator=few))
        self.add_dialog(DateTimePrompt("time"))
        self.add_dialog(ConfirmPrompt("sure"))
        self.initial_dialog_id = "order"

    async def on_continue_dialog(self, inner_dc: DialogContext) -> DialogTurnResult:
        """Look for an interruption before the prompt sees the answer."""
        word = (inner_dc.context.activity.text or "").strip().lower()
        if word == "cancel":
            await inner_dc.context.send_activity("Cancelled. You can order again at any time.")
            return await inner_dc.cancel_all_dialogs()
        if word == "help":
            await inner_dc.context.send_activity(HELP)
            await inner_dc.reprompt_dialog()
            return DialogTurnResult(DialogTurnStatus.Waiting)
        return await super().on_continue_dialog(inner_dc)

    async def ask_name(self, step: WaterfallStepContext) -> DialogTurnResult:
        """Text."""
        return await step.prompt("name", asks("Who is the order for?"))

    async def ask_dish(self, step: WaterfallStepContext) -> DialogTurnResult:
        """A choice, shown as buttons."""
        step.values["name"] = step.result
        options = asks("What would you like?")
        options.choices = [Choice("Soup"), Choice("Salad"), Choice("Pasta")]
        return await step.prompt("dish", options)

    async def ask_portions(self, step: WaterfallStepContext) -> DialogTurnResult:
        """A number, with a validator."""
        step.values["dish"] = step.result.value
        return await step.prompt("portions", asks("How many portions?"))

    async def ask_time(self, step: WaterfallStepContext) -> DialogTurnResult:
        """A time, in the user's own words."""
        step.values["portions"] = int(step.result)
        return await step.prompt("time", asks("When will you pick it up?"))

    async def confirm(self, step: WaterfallStepContext) -> DialogTurnResult:
        """Yes or no."""
        step.values["time"] = step.result[0].value
        order = "{portions} x {dish} for {name} at {time}".format(**step.values)
        return await step.prompt("sure", asks(f"{order}: is that right?"))

    async def finish(self, step: WaterfallStepContext) -> DialogTurnResult:
        """Tell the user whether the order was placed."""
        await step.context.send_activity("Ordered!" if step.result else "Order dropped.")
        return await step.end_dialog()


async def few(prompt: PromptValidatorContext) -> bool:
    """Whether the kitchen can make this number of portions."""
    return bool(prompt.recognized.succeeded and 0 < prompt.recognized.value <= MAX_PORTIONS)


def asks(question: str) -> PromptOptions:
    """A prompt's question, and its text after an invalid answer."""
    again = MessageFactory.text(f"I did not get that. {question}")
    return PromptOptions(prompt=MessageFactory.text(question), retry_prompt=again)
