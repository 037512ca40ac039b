"""Checked values of JSON that a page sends."""

import re
from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.channel.errors import ChannelError

MAX_CHARACTERS = 200
"""Of a name, or an id."""

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def bad(message: str) -> ChannelError:
    """The refusal of a request with an invalid body."""
    return ChannelError(400, "BadArgument", message)


def text(body: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None = None) -> str:
    """A string that is not empty.

    Args:
        body: the JSON object.
        name: the property's.
        pattern: what the string must match; None: at most MAX_CHARACTERS.

    Raises:
        ChannelError: 400, it is missing or does not match.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise bad(f"'{name}' must be text.")
    if pattern is not None and pattern.fullmatch(value) is None:
        raise bad(f"'{name}' has the wrong format.")
    if pattern is None and len(value) > MAX_CHARACTERS:
        raise bad(f"'{name}' is longer than {MAX_CHARACTERS} characters.")
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
        raise bad(f"'{name}' must be an object.")
    return value


def message_content(body: dict[str, Any]) -> dict[str, Any]:
    """The same object, if it can be the content of a message.

    Raises:
        ChannelError: 400, it cannot.
    """
    for name in ("text", "replyToId"):
        if not isinstance(body.get(name), str | None):
            raise bad(f"'{name}' must be text.")
    if not isinstance(body.get("channelData"), dict | None):
        raise bad("'channelData' must be an object.")
    items(body, "entities")
    for attachment in items(body, "attachments"):
        kind = attachment.get("contentType") if isinstance(attachment, dict) else None
        if not isinstance(kind, str):
            raise bad("Each attachment must be an object with a 'contentType'.")
    return body


def items(body: Mapping[str, Any], name: str) -> list[Any]:
    """A list; a missing one is empty.

    Raises:
        ChannelError: 400, it is something else.
    """
    value = body.get(name) or []
    if not isinstance(value, list):
        raise bad(f"'{name}' must be a list.")
    return value
