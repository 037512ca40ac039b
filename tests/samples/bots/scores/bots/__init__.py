from .scores_bot import ScoresBot

__all__ = ["ScoresBot"]
