"""A parcel office's bot: a dialog class of its own, which fills slots, some of them dialogs."""

from bots import ParcelBot
from dialogs import ParcelDialog


def create_bot(services):
    """In place of app.py."""
    dialog = ParcelDialog(services.user_state)
    return ParcelBot(services.conversation_state, services.user_state, dialog)
