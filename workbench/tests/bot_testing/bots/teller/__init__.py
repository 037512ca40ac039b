"""A bot that streams its answers."""

from cloud_adapter.bot.services import BotServices

from .bot import TellerBot


def create_bot(_: BotServices) -> TellerBot:
    """The bot."""
    return TellerBot()
