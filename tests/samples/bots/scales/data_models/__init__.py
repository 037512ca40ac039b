from .weight import Weight

__all__ = ["Weight"]
