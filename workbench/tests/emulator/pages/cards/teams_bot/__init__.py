"""A bot that uses what Teams offers: cards, dialogs, message extensions, files."""

from cloud_adapter.bot.services import BotServices

from .bot import TeamsBot


def create_bot(services: BotServices) -> TeamsBot:
    """The bot, which asks for tokens of its own app."""
    return TeamsBot(f"api://botid-{services.app_id}")
