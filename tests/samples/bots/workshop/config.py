import os


class DefaultConfig:
    """Bot Configuration"""

    APP_ID = os.environ.get("MicrosoftAppId", "")
    APP_PASSWORD = os.environ.get("MicrosoftAppPassword", "")
    RECOGNIZER_KEY = os.environ.get("RecognizerKey", "")
