from .logger_middleware import LoggerMiddleware

__all__ = ["LoggerMiddleware"]
