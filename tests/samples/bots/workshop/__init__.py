"""A repair workshop's bot: dialogs within dialogs, which "help" and "cancel" interrupt."""

from bots import WorkshopBot
from config import DefaultConfig
from dialogs import MainDialog, RepairDialog
from intent_recognizer import IntentRecognizer


def create_bot(services):
    """In place of app.py."""
    config = DefaultConfig()
    dialog = MainDialog(IntentRecognizer(config), RepairDialog())
    return WorkshopBot(services.conversation_state, services.user_state, dialog)
