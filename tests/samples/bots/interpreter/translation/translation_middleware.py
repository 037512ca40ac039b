from typing import Awaitable, Callable, List

from botbuilder.core import Middleware, TurnContext, UserState
from botbuilder.schema import Activity, ActivityTypes

from translation import Translator
from translation.language import Language


class TranslationMiddleware(Middleware):
    def __init__(self, translator: Translator, user_state: UserState):
        self.translator = translator
        self.language_accessor = user_state.create_property("LanguagePreference")

    async def on_turn(self, context: TurnContext, logic: Callable[[TurnContext], Awaitable]):
        language = await self._language(context)
        if language != Language.default.value and context.activity.type == ActivityTypes.message:
            context.activity.text = await self.translator.translate(
                context.activity.text, Language.default.value
            )

        async def on_send(ctx: TurnContext, activities: List[Activity], next_send: Callable):
            chosen = await self._language(ctx)
            if chosen != Language.default.value:
                for activity in activities:
                    if activity.type == ActivityTypes.message:
                        activity.text = await self.translator.translate(activity.text, chosen)
            return await next_send()

        context.on_send_activities(on_send)
        await logic()

    async def _language(self, turn_context: TurnContext) -> str:
        return await self.language_accessor.get(turn_context, Language.default.value)
