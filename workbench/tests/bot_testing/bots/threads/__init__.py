"""A bot whose turns work in threads, on event loops of their own."""

from cloud_adapter.bot.services import BotServices

from .bot import ThreadsBot


def create_bot(services: BotServices) -> ThreadsBot:
    """The bot."""
    return ThreadsBot(services)
