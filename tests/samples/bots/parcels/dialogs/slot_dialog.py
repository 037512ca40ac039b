from typing import Dict, List

from botbuilder.dialogs import (
    Dialog,
    DialogContext,
    DialogInstance,
    DialogReason,
    DialogTurnResult,
)
from botbuilder.schema import ActivityTypes

from dialogs.slot import Slot


class SlotDialog(Dialog):
    """Prompts for each slot that has no value yet."""

    def __init__(self, dialog_id: str, slots: List[Slot]):
        super(SlotDialog, self).__init__(dialog_id)
        self.SLOT_NAME = "slot"
        self.VALUES = "values"
        self.slots = slots

    async def begin_dialog(self, dialog_context: "DialogContext", options: object = None):
        if dialog_context.context.activity.type != ActivityTypes.message:
            return await dialog_context.end_dialog({})
        return await self._fill(dialog_context)

    async def continue_dialog(self, dialog_context: "DialogContext"):
        if dialog_context.context.activity.type != ActivityTypes.message:
            return Dialog.end_of_turn
        return await self._fill(dialog_context)

    async def resume_dialog(
        self, dialog_context: DialogContext, reason: DialogReason, result: object
    ):
        name = dialog_context.active_dialog.state[self.SLOT_NAME]
        self._values(dialog_context.active_dialog)[name] = result
        return await self._fill(dialog_context)

    async def _fill(self, dialog_context: DialogContext) -> DialogTurnResult:
        values = self._values(dialog_context.active_dialog)
        empty = next((slot for slot in self.slots if slot.name not in values), None)
        if empty:
            dialog_context.active_dialog.state[self.SLOT_NAME] = empty.name
            return await dialog_context.begin_dialog(empty.dialog_id, empty.options)
        return await dialog_context.end_dialog(values)

    def _values(self, instance: DialogInstance) -> Dict[str, object]:
        values = instance.state.get(self.VALUES)
        if not values:
            values = {}
            instance.state[self.VALUES] = values
        return values
