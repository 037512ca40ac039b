"""A taxi's bot: it asks without dialogs, and keeps its questions and answers in classes."""

from bots import TaxiBot


def create_bot(services):
    """In place of app.py."""
    return TaxiBot(services.conversation_state, services.user_state)
