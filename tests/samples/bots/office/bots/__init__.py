from .office_bot import OfficeBot

__all__ = ["OfficeBot"]
