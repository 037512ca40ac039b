"""A garden club's bot: it greets whoever joins, and knows whom it has greeted before."""

from bots import GardenWelcomeBot


def create_bot(services):
    """In place of app.py."""
    return GardenWelcomeBot(services.user_state)
