from .lighthouse_bot import LighthouseBot

__all__ = ["LighthouseBot"]
