from botbuilder.core import ActivityHandler, MessageFactory, TurnContext
from botbuilder.schema import Activity, ActivityTypes, EndOfConversationCodes


class PorterBot(ActivityHandler):
    async def on_message_activity(self, turn_context: TurnContext):
        if "thanks" in turn_context.activity.text:
            await turn_context.send_activity(MessageFactory.text("Have a good stay."))
            end_of_conversation = Activity(type=ActivityTypes.end_of_conversation)
            end_of_conversation.code = EndOfConversationCodes.completed_successfully
            await turn_context.send_activity(end_of_conversation)
        else:
            await turn_context.send_activity(
                MessageFactory.text(f"I carry: {turn_context.activity.text}")
            )
            await turn_context.send_activity(MessageFactory.text("Anything else?"))

    async def on_end_of_conversation_activity(self, turn_context: TurnContext):
        pass
