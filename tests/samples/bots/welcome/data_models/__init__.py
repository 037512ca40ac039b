from .visitor import Visitor

__all__ = ["Visitor"]
