"""A choir's bot in Teams: files that it sends after consent, and files that it is sent."""

from bots import ScoresBot


def create_bot(services):
    """In place of app.py."""
    return ScoresBot()
