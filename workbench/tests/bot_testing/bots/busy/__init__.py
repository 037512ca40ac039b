"""A bot for the tests of the test kit."""

from cloud_adapter.bot.services import BotServices

from .bot import BusyBot


def create_bot(services: BotServices) -> BusyBot:
    """The bot."""
    return BusyBot(services)
