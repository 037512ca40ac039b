"""The bot of the base's tests: in their apps it stands in the place of bot_logic.

It is imported as a bot's folder is, and as this package where a test composes the app itself.
"""

from cloud_adapter.bot.services import BotServices

from .bot import ObedientBot


def create_bot(services: BotServices) -> ObedientBot:
    """The bot."""
    return ObedientBot(services.conversation_state)
