from . import dialog_helper

__all__ = ["dialog_helper"]
