from .forms_bot import FormsBot

__all__ = ["FormsBot"]
