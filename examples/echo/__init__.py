"""Echo: greets, and says what it hears."""

from cloud_adapter.bot.services import BotServices

from .bot import EchoBot


def create_bot(services: BotServices) -> EchoBot:
    """The bot, which needs no services."""
    return EchoBot()
