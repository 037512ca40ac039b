"""TranslationMiddleware, and the translator that it uses."""

from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import Middleware, StatePropertyAccessor, TurnContext
from botbuilder.schema import Activity, ResourceResponse

ENGLISH = "en"

PHRASES = {
    ("de", "en"): {"wetter": "weather"},
    ("en", "de"): {
        "It is sunny.": "Es ist sonnig.",
        "I speak your language now.": "Ich spreche jetzt deine Sprache.",
        "Ask me about the weather.": "Frag mich nach dem Wetter.",
    },
}


class Translator:
    """Translates a few phrases. Call Azure AI Translator here, with the bot's identity."""

    async def translate(self, text: str, source: str, target: str) -> str:
        """The text in another language; unchanged if the phrase is unknown."""
        phrases = PHRASES.get((source, target), {})
        return phrases.get(text) or phrases.get(text.lower()) or text


class TranslationMiddleware(Middleware):
    """Translates what the user says to English, and what the bot says to the user's language.

    Args:
        translator: translates.
        language: the property with the user's language.
    """

    def __init__(self, translator: Translator, language: StatePropertyAccessor) -> None:
        self._translator = translator
        self._language = language

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Translate the message, and all replies of the turn."""
        spoken = await self._language.get(context, ENGLISH)
        if context.activity.text and spoken != ENGLISH:
            context.activity.text = await self._translator.translate(
                context.activity.text, spoken, ENGLISH
            )
        context.on_send_activities(self._translate_replies)
        await logic()

    async def _translate_replies(
        self,
        context: TurnContext,
        activities: list[Activity],
        send: Callable[[], Awaitable[list[ResourceResponse]]],
    ) -> Any:
        target = await self._language.get(context, ENGLISH)  # the bot may have just set it
        if target != ENGLISH:
            for each in activities:
                if each.text:
                    each.text = await self._translator.translate(each.text, ENGLISH, target)
        return await send()
