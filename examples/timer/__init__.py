"""Timer: sends a notification to all conversations every morning."""

from cloud_adapter.bot.services import BotServices

from .bot import ReminderBot


def create_bot(services: BotServices) -> ReminderBot:
    """The bot; routes.py has its timer."""
    return ReminderBot()
