from typing import Dict

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import Activity, ConversationReference


class LighthouseBot(ActivityHandler):
    def __init__(self, conversation_references: Dict[str, ConversationReference]):
        self.conversation_references = conversation_references

    async def on_conversation_update_activity(self, turn_context: TurnContext):
        self._add_conversation_reference(turn_context.activity)
        return await super().on_conversation_update_activity(turn_context)

    async def on_message_activity(self, turn_context: TurnContext):
        self._add_conversation_reference(turn_context.activity)
        return await turn_context.send_activity(f"Seen: {turn_context.activity.text}")

    def _add_conversation_reference(self, activity: Activity):
        reference = TurnContext.get_conversation_reference(activity)
        self.conversation_references[reference.user.id] = reference
