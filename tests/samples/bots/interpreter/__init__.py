"""A museum guide's bot: middleware translates what users and bot say to each other."""

from bots import GuideBot
from config import DefaultConfig
from translation import TranslationMiddleware, Translator


def create_bot(services):
    """In place of app.py."""
    config = DefaultConfig()
    translator = Translator(config.TRANSLATOR_URL, config.TRANSLATOR_KEY)
    services.adapter.use(TranslationMiddleware(translator, services.user_state))
    return GuideBot(services.user_state)
