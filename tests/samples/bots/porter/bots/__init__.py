from .porter_bot import PorterBot

__all__ = ["PorterBot"]
