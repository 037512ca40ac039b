"""A mailbox's bot: users sign in by a dialog, in Web Chat and in Teams."""

from bots import MailboxBot
from config import DefaultConfig
from dialogs import MainDialog


def create_bot(services):
    """In place of app.py."""
    dialog = MainDialog(DefaultConfig.CONNECTION_NAME)
    return MailboxBot(services.conversation_state, services.user_state, dialog)
