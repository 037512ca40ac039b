from botbuilder.core import MessageFactory, UserState
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice
from botbuilder.dialogs.prompts import (
    AttachmentPrompt,
    ChoicePrompt,
    ConfirmPrompt,
    DateTimePrompt,
    NumberPrompt,
    PromptOptions,
    PromptValidatorContext,
    TextPrompt,
)

from data_models import Rental

PICTURES = ("image/png", "image/jpeg")


class RentalDialog(ComponentDialog):
    def __init__(self, user_state: UserState):
        super(RentalDialog, self).__init__(RentalDialog.__name__)

        self.rental_accessor = user_state.create_property("Rental")

        self.add_dialog(
            WaterfallDialog(
                WaterfallDialog.__name__,
                [
                    self.boat_step,
                    self.name_step,
                    self.people_step,
                    self.day_step,
                    self.licence_step,
                    self.summary_step,
                    self.final_step,
                ],
            )
        )
        self.add_dialog(TextPrompt(TextPrompt.__name__, RentalDialog.name_validator))
        self.add_dialog(NumberPrompt(NumberPrompt.__name__, RentalDialog.people_validator))
        self.add_dialog(ChoicePrompt(ChoicePrompt.__name__))
        self.add_dialog(ConfirmPrompt(ConfirmPrompt.__name__))
        self.add_dialog(DateTimePrompt(DateTimePrompt.__name__))
        self.add_dialog(AttachmentPrompt(AttachmentPrompt.__name__, RentalDialog.licence_validator))

        self.initial_dialog_id = WaterfallDialog.__name__

    async def boat_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        return await step_context.prompt(
            ChoicePrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("Which boat?"),
                retry_prompt=MessageFactory.text("We have no such boat."),
                choices=[Choice("Canoe"), Choice("Dinghy", synonyms=["sail"]), Choice("Raft")],
            ),
        )

    async def name_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values["boat"] = step_context.result.value
        return await step_context.prompt(
            TextPrompt.__name__, PromptOptions(prompt=MessageFactory.text("Who rents it?"))
        )

    async def people_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values["name"] = step_context.result
        await step_context.context.send_activity(
            MessageFactory.text(f"Hello {step_context.result}.")
        )
        return await step_context.prompt(
            NumberPrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("For how many people?"),
                retry_prompt=MessageFactory.text("One to six people fit in."),
            ),
        )

    async def day_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values["people"] = step_context.result
        return await step_context.prompt(
            DateTimePrompt.__name__, PromptOptions(prompt=MessageFactory.text("When?"))
        )

    async def licence_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        step_context.values["day"] = step_context.result[0].timex
        if step_context.values["boat"] != "Dinghy":
            return await step_context.next(None)
        return await step_context.prompt(
            AttachmentPrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("Please attach a picture of your licence."),
                retry_prompt=MessageFactory.text("That is no picture."),
            ),
        )

    async def summary_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        rental = await self.rental_accessor.get(step_context.context, Rental)
        rental.boat = step_context.values["boat"]
        rental.name = step_context.values["name"]
        rental.people = step_context.values["people"]
        rental.day = step_context.values["day"]
        rental.licence = step_context.result[0] if step_context.result else None

        text = f"A {rental.boat} for {rental.people} on {rental.day}, {rental.name}."
        if rental.licence:
            await step_context.context.send_activity(
                MessageFactory.attachment(rental.licence, text)
            )
        else:
            await step_context.context.send_activity(text)
        return await step_context.prompt(
            ConfirmPrompt.__name__, PromptOptions(prompt=MessageFactory.text("Is this right?"))
        )

    async def final_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        text = "It is yours." if step_context.result else "Nothing is booked."
        await step_context.context.send_activity(MessageFactory.text(text))
        return await step_context.end_dialog()

    @staticmethod
    async def name_validator(prompt_context: PromptValidatorContext) -> bool:
        return prompt_context.recognized.succeeded and len(prompt_context.recognized.value) > 1

    @staticmethod
    async def people_validator(prompt_context: PromptValidatorContext) -> bool:
        return prompt_context.recognized.succeeded and 1 <= prompt_context.recognized.value <= 6

    @staticmethod
    async def licence_validator(prompt_context: PromptValidatorContext) -> bool:
        if not prompt_context.recognized.succeeded:
            await prompt_context.context.send_activity("Then show it at the pier.")
            return True
        pictures = [
            attachment
            for attachment in prompt_context.recognized.value
            if attachment.content_type in PICTURES
        ]
        prompt_context.recognized.value = pictures
        return len(pictures) > 0
