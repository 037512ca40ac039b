"""A film festival's bot: a dialog that replaces itself, and a class among a dialog's values."""

from bots import FestivalBot
from dialogs import MainDialog


def create_bot(services):
    """In place of app.py."""
    dialog = MainDialog(services.user_state)
    return FestivalBot(services.conversation_state, services.user_state, dialog)
