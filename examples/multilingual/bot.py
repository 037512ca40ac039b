"""WeatherBot: understands only English."""

from botbuilder.core import ActivityHandler, StatePropertyAccessor, TurnContext

LANGUAGES = {"english": "en", "deutsch": "de"}


class WeatherBot(ActivityHandler):
    """Answers in English; the middleware translates.

    Args:
        language: the property with the user's language.
    """

    def __init__(self, language: StatePropertyAccessor) -> None:
        super().__init__()
        self._language = language

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Choose a language, or report the weather."""
        text = (turn_context.activity.text or "").strip().lower()
        if text in LANGUAGES:
            await self._language.set(turn_context, LANGUAGES[text])
            await turn_context.send_activity("I speak your language now.")
        elif text == "weather":
            await turn_context.send_activity("It is sunny.")
        else:
            await turn_context.send_activity("Ask me about the weather.")
