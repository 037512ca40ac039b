from .festival_bot import FestivalBot

__all__ = ["FestivalBot"]
