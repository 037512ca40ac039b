"""JsonObject: a JSON object as Python's json reads it."""

from typing import Any

JsonObject = dict[str, Any]
