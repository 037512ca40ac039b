from .form import FORMS, Form
from .form_response_factory import FormResponseFactory

__all__ = ["FORMS", "Form", "FormResponseFactory"]
