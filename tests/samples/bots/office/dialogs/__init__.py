from .main_dialog import MainDialog

__all__ = ["MainDialog"]
