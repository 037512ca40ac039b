"""Checked values of JSON that a page sends."""

import re
from collections.abc import Mapping
from typing import Any

from emulator.channel.errors import ChannelError

MAX_NAME = 200
"""Characters of a name."""

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def bad(message: str) -> ChannelError:
    """The refusal of a request whose body is not as it must be."""
    return ChannelError(400, "BadArgument", message)


def text(body: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None = None) -> str:
    """A string that is not empty.

    Args:
        body: the JSON object.
        name: the property's.
        pattern: what the string must match; None: at most MAX_NAME characters.

    Raises:
        ChannelError: 400, it is missing or not as it must be.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise bad(f"'{name}' is not a text.")
    fits = pattern.fullmatch(value) if pattern else len(value) <= MAX_NAME
    if not fits:
        raise bad(f"'{name}' has not the form that it must have.")
    return value


def optional_text(
    body: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None = None
) -> str | None:
    """Like `text`; None if it is missing, null or empty."""
    return text(body, name, pattern) if body.get(name) not in (None, "") else None


def item(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object.

    Raises:
        ChannelError: 400, it is missing or something else.
    """
    value = body.get(name)
    if not isinstance(value, dict):
        raise bad(f"'{name}' is not an object.")
    return value


def message_content(body: dict[str, Any]) -> dict[str, Any]:
    """The same object, if it can be the content of a message.

    Raises:
        ChannelError: 400, it cannot.
    """
    for name in ("text", "replyToId"):
        if not isinstance(body.get(name), str | None):
            raise bad(f"'{name}' is not a text.")
    if not isinstance(body.get("channelData"), dict | None):
        raise bad("'channelData' is not an object.")
    items(body, "entities")
    for attachment in items(body, "attachments"):
        kind = attachment.get("contentType") if isinstance(attachment, dict) else None
        if not isinstance(kind, str):
            raise bad("An attachment has no 'contentType'.")
    return body


def items(body: Mapping[str, Any], name: str) -> list[Any]:
    """A list; a missing one is empty.

    Raises:
        ChannelError: 400, it is something else.
    """
    value = body.get(name) or []
    if not isinstance(value, list):
        raise bad(f"'{name}' is not a list.")
    return value
