from .cancel_and_help_dialog import CancelAndHelpDialog
from .date_resolver_dialog import DateResolverDialog
from .main_dialog import MainDialog
from .repair_dialog import RepairDialog

__all__ = ["CancelAndHelpDialog", "DateResolverDialog", "MainDialog", "RepairDialog"]
