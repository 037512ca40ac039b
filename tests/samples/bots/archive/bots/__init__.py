from .archive_bot import ArchiveBot

__all__ = ["ArchiveBot"]
