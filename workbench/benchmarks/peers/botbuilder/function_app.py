"""The echo bot in the Functions host."""

from echo import ADAPTER, BOT  # type: ignore[import-not-found]  # in this folder, as in Azure
from http_trigger import app_with  # type: ignore[import-not-found]  # likewise

app = app_with(ADAPTER, BOT)
