from .card_dialog import CardDialog

__all__ = ["CardDialog"]
