"""What is shown of bodies and stored values: JSON, text, or how much there is."""

import json
from typing import Any

MAX_BYTES = 64 * 1024
"""What is larger is cut."""
START_CHARACTERS = 8 * 1024
"""How much of it is shown."""


def shown(content: bytes) -> Any:
    """Content as it is shown: its JSON, else its text; None: there is none.

    Large content becomes `{"$cut": {"bytes": N, "start": TEXT}}`, and what is no text
    `{"$bytes": N}`.
    """
    if not content:
        return None
    try:
        if len(content) > MAX_BYTES:
            start = content[: 4 * START_CHARACTERS].decode(errors="replace")
            return {"$cut": {"bytes": len(content), "start": start[:START_CHARACTERS]}}
        text = content.decode()
    except UnicodeDecodeError:
        return {"$bytes": len(content)}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def shown_json(value: Any) -> Any:
    """JSON as it is shown."""
    return shown(json.dumps(value, default=str).encode())


def shown_text(text: str) -> str:
    """Text as it is shown: the end of a long one is left out."""
    if len(text) <= MAX_BYTES:
        return text
    return f"{text[:START_CHARACTERS]}\n... ({len(text)} characters in all)"
