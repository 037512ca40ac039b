from .hotel_bot import HotelBot

__all__ = ["HotelBot"]
