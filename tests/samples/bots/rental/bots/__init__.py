from .rental_bot import RentalBot

__all__ = ["RentalBot"]
