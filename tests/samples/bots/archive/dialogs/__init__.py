from .activity_router_dialog import ActivityRouterDialog
from .filing_dialog import FilingDialog
from .paper import Paper

__all__ = ["ActivityRouterDialog", "FilingDialog", "Paper"]
