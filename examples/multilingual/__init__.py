"""Multilingual: middleware that translates between the user and the bot."""

from cloud_adapter.bot.services import BotServices

from .bot import WeatherBot
from .translation import TranslationMiddleware, Translator


def create_bot(services: BotServices) -> WeatherBot:
    """The bot, behind its middleware."""
    language = services.user_state.create_property("language")
    services.use(TranslationMiddleware(Translator(), language))
    return WeatherBot(language)
