from .guest import Guest

__all__ = ["Guest"]
