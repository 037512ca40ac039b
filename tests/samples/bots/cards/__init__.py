"""A cookery school's bot: every kind of card, its pictures and its cards in files."""

from bots import CardsBot
from dialogs import CardDialog


def create_bot(services):
    """In place of app.py."""
    return CardsBot(services.conversation_state, services.user_state, CardDialog())
