"""A photo lab's bot: it keeps what users send, and sends pictures in three ways."""

from bots import PhotoBot


def create_bot(services):
    """In place of app.py."""
    return PhotoBot()
