"""The skill of the pair: reverses messages until the user says `end`.

Needs the app setting AllowedCallers with the host's app id.
"""

from cloud_adapter.bot.services import BotServices

from .bot import ReverseBot


def create_bot(services: BotServices) -> ReverseBot:
    """The bot, which does not know that it is a skill."""
    return ReverseBot()
