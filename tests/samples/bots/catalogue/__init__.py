"""A library's message extension in Teams: search, actions with preview, settings, sign-in, links."""

from bots import CatalogueBot
from config import DefaultConfig


def create_bot(services):
    """In place of app.py."""
    config = DefaultConfig()
    return CatalogueBot(services.user_state, config.CONNECTION_NAME, config.SITE_URL)
