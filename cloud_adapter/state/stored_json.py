"""The JSON of stored state. Nothing is pickled; objects are created from an allow list only."""

import json
import math
import sys
from types import NoneType
from typing import Any

from cloud_adapter.errors import StorageUnavailable, UnreadableState

CONTAINER = "bot-state"
"""The container of stored state."""

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

E_TAG = "e_tag"
"""The key under which botbuilder's storages return an item's ETag, and expect it."""

TYPED = "~typed"
"""Marks items that contain objects: they are written as `["~typed", item]`."""

_SCALARS = frozenset({str, int, bool, float, NoneType})


def to_text(item: object) -> str:
    """The JSON text of an item. Equal items have equal texts, unless their keys differ in order.

    Raises:
        TypeError: state cannot hold a value; the text names the property and the cure.
        ValueError: the item contains itself, nests too deeply, or contains a number without JSON
            form, such as NaN; the text names the property.
    """
    try:
        if type(item) is dict and _is_plain(item):
            return _ENCODER.encode(item)
    except (RecursionError, ValueError):
        pass  # the writer raises again, and names the property
    from cloud_adapter.state.objects.tagged_json import ObjectWriter  # here: few bots store objects

    writer = ObjectWriter()
    try:
        written = writer.write(item, "state")
    except RecursionError:
        raise ValueError("state nests too deeply") from None
    if type(item) is dict and not writer.is_typed:
        return _ENCODER.encode(item)
    return _ENCODER.encode([TYPED, written])


def from_text(text: str | bytes) -> Any:
    """The item of a text: a dict, if it is plain JSON.

    Raises:
        UnreadableState: the item contains an object that cannot be read, or nests too deeply; the
            error names the property.
        ValueError: the text is not stored state.
    """
    try:
        item = _parsed(text if isinstance(text, str) else text.decode())
        if type(item) is dict:
            return item
        if type(item) is list and len(item) == 2 and item[0] == TYPED:
            from cloud_adapter.state.objects.tagged_json import read

            return read(item[1], "state")
    except RecursionError:
        raise UnreadableState("state nests too deeply to be read") from None
    raise ValueError("the stored state is not a JSON object")


def stored_item(content: bytes) -> Any:
    """The item of a blob with this content.

    Raises:
        StorageUnavailable: the content is not an item, or cannot be read.
    """
    try:
        return from_text(content)
    except ValueError as error:
        raise StorageUnavailable(
            f"a blob in the container {CONTAINER} is not stored state"
        ) from error


def _parsed(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number that to_text does not write
        item = json.loads(text, parse_int=_short_int)
        if type(item) is dict:
            to_text(item)  # raises, and names the property; for a typed item, the reader does
        return item


def _short_int(digits: str) -> float:
    return int(digits) if len(digits) <= sys.get_int_max_str_digits() else math.inf


def _refuse(number: str) -> None:
    raise ValueError(f"{number} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _is_plain(value: Any) -> bool:
    """Whether a value is the same after JSON has written and read it."""
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                return False
        value = list(value.values())
    for item in value:
        kind = type(item)
        if kind not in _SCALARS and (kind not in (dict, list) or not _is_plain(item)):
            return False
    return True
