"""A till's bot: it runs its dialog itself, and keeps its state in a store of its own."""

from bots import TillBot
from dialogs import SumDialog
from store import MemoryStore


def create_bot(services):
    """In place of app.py."""
    return TillBot(MemoryStore(), SumDialog())
