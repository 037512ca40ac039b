"""Classes in state: a dataclass and an enum of the bot's own, remembered between turns."""

from cloud_adapter.bot.services import BotServices

from .bot import ShoppingBot


def create_bot(services: BotServices) -> ShoppingBot:
    """The bot; the list belongs to the user, in all conversations."""
    return ShoppingBot(services.user_state)
