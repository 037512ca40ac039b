from .rental_dialog import RentalDialog

__all__ = ["RentalDialog"]
