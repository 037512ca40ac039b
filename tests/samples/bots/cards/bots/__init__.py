from .cards_bot import CardsBot

__all__ = ["CardsBot"]
