import os


class DefaultConfig:
    """Bot Configuration"""

    APP_ID = os.environ.get("MicrosoftAppId", "")
    TRANSLATOR_KEY = os.environ.get("TranslatorKey", "")
    TRANSLATOR_URL = os.environ.get("TranslatorUrl", "https://api.cognitive.example.org")
