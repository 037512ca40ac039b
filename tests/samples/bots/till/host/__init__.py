from .dialog_host import DialogHost
from .dialog_host_adapter import DialogHostAdapter

__all__ = ["DialogHost", "DialogHostAdapter"]
