from .till_bot import TillBot

__all__ = ["TillBot"]
