"""The claims of an access token, which nobody here verifies."""

import base64
import json

from bot_workbench.admin.azure.json_object import JsonObject


def claims_of(token: str) -> JsonObject:
    """A token's claims; none if it is no JWT."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
