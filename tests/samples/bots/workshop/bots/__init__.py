from .dialog_bot import DialogBot
from .workshop_bot import WorkshopBot

__all__ = ["DialogBot", "WorkshopBot"]
