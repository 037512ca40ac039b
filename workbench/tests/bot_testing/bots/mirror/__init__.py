"""A bot that shows the tests of the kit what it gets."""

from cloud_adapter.bot.services import BotServices

from .bot import MirrorBot


def create_bot(services: BotServices) -> MirrorBot:
    """The bot."""
    return MirrorBot(services)
