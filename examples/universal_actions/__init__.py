"""Universal Actions: a card that refreshes itself, and changes when its buttons are pressed."""

from cloud_adapter.bot.services import BotServices

from .bot import PollBot


def create_bot(services: BotServices) -> PollBot:
    """The bot; the votes are stored in the conversation's state."""
    return PollBot(services.conversation_state)
