"""A town hall's bot in Teams: forms in task modules, a page or a card from a file."""

from bots import FormsBot
from config import DefaultConfig


def create_bot(services):
    """In place of app.py."""
    return FormsBot(DefaultConfig())
