from .sum_dialog import SumDialog

__all__ = ["SumDialog"]
