from .parcel_bot import ParcelBot

__all__ = ["ParcelBot"]
