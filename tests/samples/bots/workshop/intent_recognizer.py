from botbuilder.core import TurnContext

from config import DefaultConfig
from repair_details import RepairDetails


class IntentRecognizer:
    def __init__(self, configuration: DefaultConfig):
        self._key = configuration.RECOGNIZER_KEY

    @property
    def is_configured(self) -> bool:
        return bool(self._key)

    async def recognize(self, turn_context: TurnContext) -> RepairDetails:
        return RepairDetails(thing=turn_context.activity.text)
