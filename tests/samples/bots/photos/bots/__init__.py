from .photo_bot import PhotoBot

__all__ = ["PhotoBot"]
