import os


class DefaultConfig:
    """Bot Configuration"""

    BASE_URL = os.environ.get("BaseUrl", "https://townhall.example.org")
