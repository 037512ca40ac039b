"""Universal Actions: a card that refreshes itself, and changes with the buttons pressed on it."""

from cloud_adapter.bot.services import BotServices

from .bot import PollBot


def create_bot(services: BotServices) -> PollBot:
    """The bot; the votes are the conversation's."""
    return PollBot(services.conversation_state)
