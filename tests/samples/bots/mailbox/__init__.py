"""A mailbox's bot: users sign in by a dialog, in Web Chat and in Teams."""

from bots import MailboxBot
from botbuilder.core.teams.teams_sso_token_exchange_middleware import (
    TeamsSSOTokenExchangeMiddleware,
)
from config import DefaultConfig
from dialogs import MainDialog


def create_bot(services):
    """In place of app.py."""
    connection_name = DefaultConfig.CONNECTION_NAME
    services.adapter.use(TeamsSSOTokenExchangeMiddleware(services.storage, connection_name))
    dialog = MainDialog(connection_name)
    return MailboxBot(services.conversation_state, services.user_state, dialog)
