import json

from botbuilder.core import TurnContext
from botbuilder.dialogs import ComponentDialog, Dialog
from botbuilder.schema import Activity
from helpers.dialog_helper import DialogHelper
from jsonpickle import encode
from jsonpickle.unpickler import Unpickler

from host.dialog_host_adapter import DialogHostAdapter
from store import RefAccessor


class DialogHost:
    @staticmethod
    async def run(dialog: Dialog, activity: Activity, old_state) -> ():
        adapter = DialogHostAdapter()
        turn_context = TurnContext(adapter, activity)
        new_state = await DialogHost.__run_turn(dialog, turn_context, old_state)
        return adapter.activities, new_state

    @staticmethod
    async def __run_turn(dialog: Dialog, turn_context: TurnContext, state):
        stored = state[ComponentDialog.persisted_dialog_state] if state else None
        accessor = RefAccessor(Unpickler().restore(json.loads(stored)) if stored else None)
        await DialogHelper.run_dialog(dialog, turn_context, accessor)
        return {
            ComponentDialog.persisted_dialog_state: encode(accessor.value)
            if accessor.value
            else None
        }
