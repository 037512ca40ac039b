"""Files: sends a file after the user's consent, and reads files that users send."""

from cloud_adapter.bot.services import BotServices

from .bot import FilesBot


def create_bot(services: BotServices) -> FilesBot:
    """The bot, which needs no services."""
    return FilesBot()
