"""Message extension: a search, and an action that turns a form into a card."""

from cloud_adapter.bot.services import BotServices

from .bot import LibraryBot


def create_bot(services: BotServices) -> LibraryBot:
    """The bot, which needs no services."""
    return LibraryBot()
