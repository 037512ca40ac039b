from .slot_dialog import SlotDialog
from .parcel_dialog import ParcelDialog

__all__ = ["ParcelDialog", "SlotDialog"]
