"""A lighthouse's bot: it warns everybody who has written to it, when its route is called."""

from bots import LighthouseBot

CONVERSATION_REFERENCES = {}


def create_bot(services):
    """In place of app.py."""
    CONVERSATION_REFERENCES.clear()
    return LighthouseBot(CONVERSATION_REFERENCES)
