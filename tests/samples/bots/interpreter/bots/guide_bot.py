from botbuilder.core import ActivityHandler, MessageFactory, TurnContext, UserState
from botbuilder.schema import ActionTypes, CardAction, SuggestedActions

from translation.language import Language

LANGUAGES = (Language.english.value, Language.spanish.value)


class GuideBot(ActivityHandler):
    def __init__(self, user_state: UserState):
        self.user_state = user_state
        self.language_accessor = user_state.create_property("LanguagePreference")

    async def on_message_activity(self, turn_context: TurnContext):
        if turn_context.activity.text in LANGUAGES:
            await self.language_accessor.set(turn_context, turn_context.activity.text)
            await turn_context.send_activity(f"Your language is {turn_context.activity.text}.")
            await self.user_state.save_changes(turn_context)
        else:
            reply = MessageFactory.text(f"You are in the {turn_context.activity.text}.")
            reply.suggested_actions = SuggestedActions(
                actions=[
                    CardAction(title=title, type=ActionTypes.post_back, value=value)
                    for title, value in zip(("English", "Español"), LANGUAGES)
                ]
            )
            await turn_context.send_activity(reply)
