from enum import Enum


class Language(str, Enum):
    english = "en"
    spanish = "es"
    default = "en"
