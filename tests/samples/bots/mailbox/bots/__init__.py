from .dialog_bot import DialogBot
from .mailbox_bot import MailboxBot

__all__ = ["DialogBot", "MailboxBot"]
