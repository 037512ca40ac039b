from .scales_bot import ScalesBot

__all__ = ["ScalesBot"]
