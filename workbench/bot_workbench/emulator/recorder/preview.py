"""Previews of bodies, stored values and log texts: JSON, text, or the start of what is large."""

import json
import re
from pathlib import Path
from typing import Any

MAX_BYTES = 64 * 1024
"""Of a content, or characters of a text: a larger one is cut."""
START_CHARACTERS = 8 * 1024
"""The length of what is left of it."""

_FOLDER = re.escape(str(Path(__file__).parent))
_OWN_FRAMES = re.compile(
    r'(?m)^([ |]*)File "'
    rf"(?:{_FOLDER}[\\/][^\"\n]*|[^\"\n]*[\\/]http_client[\\/]observer\.py)"
    r'", line .*\n(?:\1  .*\n)*'
)
"""Frames of the recorder, and of the app's hook, in a traceback, each with the code below it."""


def preview(content: bytes, size: int | None = None) -> Any:
    """The JSON in a content, else its text; None: there is none.

    Large content becomes `{"$cut": {"bytes": N, "start": TEXT}}`, and what is no text
    `{"$bytes": N}`.

    Args:
        size: of the whole, in bytes, if only its start is at hand.
    """
    if not content:
        return None
    size = len(content) if size is None else size
    try:
        if size > MAX_BYTES:
            start = content[: 4 * START_CHARACTERS].decode(errors="replace")
            return {"$cut": {"bytes": size, "start": start[:START_CHARACTERS]}}
        text = content.decode()
    except UnicodeDecodeError:
        return {"$bytes": len(content)}
    return _json_or_text(text)


def events_in(text: str) -> list[Any]:
    """The data of server-sent events, each as its JSON or its text."""
    events = re.split(r"\r?\n\r?\n", text)
    return [_json_or_text(data) for data in map(_data_of, events) if data]


def _data_of(event: str) -> str:
    lines = [line.rstrip("\r") for line in event.split("\n") if line.startswith("data:")]
    return "\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def without_own_frames(text: str) -> str:
    """Text, without such frames in the tracebacks that it may have."""
    return _OWN_FRAMES.sub("", text) if 'File "' in text else text


def text_preview(text: str) -> str:
    """Text without the recorder's frames, and without the end of a long one."""
    text = without_own_frames(text)
    if len(text) <= MAX_BYTES:
        return text
    return f"{text[:START_CHARACTERS]}\n... ({len(text)} characters in all)"
