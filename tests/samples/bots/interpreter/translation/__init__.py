from .translator import Translator
from .translation_middleware import TranslationMiddleware

__all__ = ["TranslationMiddleware", "Translator"]
