"""The bot's answers and dialogs. This is the package to edit."""

from typing import TYPE_CHECKING

from bot_logic.bot import Bot

if TYPE_CHECKING:
    from cloud_adapter.bot.services import BotServices


def create_bot(services: "BotServices") -> Bot:
    """The bot; called once in each process."""
    return Bot(services.conversation_state)
