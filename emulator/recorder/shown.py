"""What is shown of bodies and stored values: JSON, text, or how much there is."""

import json
import re
from pathlib import Path
from typing import Any

MAX_BYTES = 64 * 1024
"""What is larger is cut."""
START_CHARACTERS = 8 * 1024
"""How much of it is shown."""

_FOLDER = re.escape(str(Path(__file__).parent))
_OWN_FRAMES = re.compile(rf'(?m)^([ |]*)File "{_FOLDER}[\\/][^"\n]*", line .*\n(?:\1  .*\n)*')
"""Frames of the recorder in a traceback, each with the lines of code below it."""


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


def without_own_frames(text: str) -> str:
    """Text, without the recorder's frames in the tracebacks that it may have."""
    return _OWN_FRAMES.sub("", text) if 'File "' in text else text


def shown_text(text: str) -> str:
    """Text as it is shown: without the recorder's frames, and without the end of a long one."""
    text = without_own_frames(text)
    if len(text) <= MAX_BYTES:
        return text
    return f"{text[:START_CHARACTERS]}\n... ({len(text)} characters in all)"
