"""Message extension: a search, and an action that makes a card of what the user enters."""

from cloud_adapter.bot.services import BotServices

from .bot import LibraryBot


def create_bot(services: BotServices) -> LibraryBot:
    """The bot, which needs no services."""
    return LibraryBot()
