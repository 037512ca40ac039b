"""Echo: greets users, and repeats what they say."""

from cloud_adapter.bot.services import BotServices

from .bot import EchoBot


def create_bot(services: BotServices) -> EchoBot:
    """The bot, which needs no services."""
    return EchoBot()
