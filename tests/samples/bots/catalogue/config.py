import os


class DefaultConfig:
    """Bot Configuration"""

    CONNECTION_NAME = os.environ.get("ConnectionName", "")
    SITE_URL = os.environ.get("SiteUrl", "https://library.example.org")
