"""Messages that AI has written, as Teams shows them."""

from cloud_adapter.bot.services import BotServices

from .bot import AnswerBot


def create_bot(services: BotServices) -> AnswerBot:
    """The bot, which needs no services."""
    return AnswerBot()
