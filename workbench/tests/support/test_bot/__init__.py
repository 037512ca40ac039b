"""The bot of the base's tests: in their apps it stands in the place of bot_logic.

It is imported as a bot's folder is, and as this package where a test composes the app itself.
"""

from cloud_adapter.bot.services import BotServices

from .bot import ObedientBot

NO_TYPING = {"TestBotTyping": "off"}
"""Settings with which it never shows that it is typing: for tests that count what a turn sends. On
a busy machine any turn may be long enough for it."""


def create_bot(services: BotServices) -> ObedientBot:
    """The bot."""
    services.typing_indicator = not NO_TYPING.items() <= services.settings.items()
    return ObedientBot(services.conversation_state)
