from typing import Dict

from botbuilder.core import MessageFactory, UserState
from botbuilder.dialogs import (
    ComponentDialog,
    DialogTurnResult,
    NumberPrompt,
    PromptValidatorContext,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import TextPrompt
from recognizers_text import Culture

from dialogs import SlotDialog
from dialogs.slot import Slot


class ParcelDialog(ComponentDialog):
    def __init__(self, user_state: UserState):
        super(ParcelDialog, self).__init__(ParcelDialog.__name__)

        self.parcel_accessor = user_state.create_property("parcel")

        address = [
            Slot(name="street", dialog_id="text", prompt="To which street?"),
            Slot(name="town", dialog_id="text", prompt="In which town?"),
        ]
        slots = [
            Slot(name="address", dialog_id="address"),
            Slot(
                name="weight",
                dialog_id="weight",
                prompt="How heavy is it, in kilograms?",
                retry_prompt="We take up to 30 kg, in steps of half a kilogram.",
            ),
            Slot(name="pieces", dialog_id="number", prompt="How many pieces?"),
        ]
        self.add_dialog(SlotDialog("address", address))
        self.add_dialog(TextPrompt("text"))
        self.add_dialog(NumberPrompt("number", default_locale=Culture.English))
        self.add_dialog(
            NumberPrompt("weight", ParcelDialog.weight_validator, default_locale=Culture.English)
        )
        self.add_dialog(SlotDialog("slots", slots))
        self.add_dialog(WaterfallDialog("waterfall", [self.start_step, self.result_step]))
        self.initial_dialog_id = "waterfall"

    async def start_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        return await step_context.begin_dialog("slots")

    async def result_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        if isinstance(step_context.result, dict) and len(step_context.result) > 0:
            address: Dict[str, object] = step_context.result["address"]
            parcel: dict = await self.parcel_accessor.get(step_context.context, dict)
            parcel["data"] = {
                "to": f"{address['street']}, {address['town']}",
                "weight": f"{step_context.result['weight']}",
                "pieces": step_context.result["pieces"],
            }
            data = parcel["data"]
            await step_context.context.send_activity(
                MessageFactory.text(f"{data['pieces']} x {data['weight']} kg to {data['to']}")
            )
        return await step_context.end_dialog()

    @staticmethod
    async def weight_validator(prompt_context: PromptValidatorContext) -> bool:
        if not prompt_context.recognized.value:
            return False
        weight = round(prompt_context.recognized.value, 1)
        if 0 < weight <= 30 and (weight * 2) % 1 == 0:
            prompt_context.recognized.value = weight
            return True
        return False
