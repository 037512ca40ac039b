"""Dialog: five prompts in a row, which `help` and `cancel` interrupt."""

from cloud_adapter.bot.services import BotServices

from .bot import LunchBot


def create_bot(services: BotServices) -> LunchBot:
    """The bot; its dialog's state is in the conversation's state."""
    return LunchBot(services.conversation_state)
