from .main_dialog import MainDialog
from .selection_dialog import SelectionDialog
from .top_dialog import TopDialog

__all__ = ["MainDialog", "SelectionDialog", "TopDialog"]
