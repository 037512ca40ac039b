"""A ship's crew's bot in Teams: members, mentions, cards that change, messages to everybody."""

from bots import CrewBot
from config import DefaultConfig


def create_bot(services):
    """In place of app.py."""
    config = DefaultConfig()
    return CrewBot(config.APP_ID, config.APP_PASSWORD)
