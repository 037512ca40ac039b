"""A bot that uses what Teams offers: cards, dialogs, message extensions, files."""

from cloud_adapter.bot.services import BotServices

from .bot import TeamsBot


def create_bot(_: BotServices) -> TeamsBot:
    """The bot, which needs no services."""
    return TeamsBot()
