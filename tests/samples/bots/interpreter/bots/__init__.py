from .guide_bot import GuideBot

__all__ = ["GuideBot"]
