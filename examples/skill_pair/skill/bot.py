"""ReverseBot."""

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import Activity, ActivityTypes, EndOfConversationCodes


class ReverseBot(ActivityHandler):
    """Reverses messages, and ends the conversation on `end`."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer, or give the conversation back to the host."""
        text = turn_context.activity.text or ""
        if text == "end":
            end = Activity(
                type=ActivityTypes.end_of_conversation,
                code=EndOfConversationCodes.completed_successfully,
            )
            await turn_context.send_activity(end)
        else:
            await turn_context.send_activity(text[::-1])
