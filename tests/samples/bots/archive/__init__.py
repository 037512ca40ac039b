"""The office's archive: a skill whose dialog runs what the parent's events ask for."""

from bots import ArchiveBot
from dialogs import ActivityRouterDialog


def create_bot(services):
    """In place of app.py."""
    return ArchiveBot(services.conversation_state, ActivityRouterDialog())
