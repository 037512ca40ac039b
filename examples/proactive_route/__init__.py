"""Proactive route: an HTTP endpoint of the bot's own that sends a message to a user."""

from cloud_adapter.bot.services import BotServices

from .bot import InboxBot


def create_bot(services: BotServices) -> InboxBot:
    """The bot; routes.py has the endpoint."""
    return InboxBot()
