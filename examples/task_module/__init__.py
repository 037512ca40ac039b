"""Task module: a dialog window in Teams, opened by a card's button."""

from cloud_adapter.bot.services import BotServices

from .bot import BookingBot


def create_bot(services: BotServices) -> BookingBot:
    """The bot, which needs no services."""
    return BookingBot()
