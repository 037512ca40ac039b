"""The hotel's porter: a skill that answers until it is sent away."""

from bots import PorterBot


def create_bot(services):
    """In place of app.py."""
    return PorterBot()
