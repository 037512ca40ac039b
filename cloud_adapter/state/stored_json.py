"""The JSON of stored state. Nothing is pickled; objects are created from an allow list only."""

import json
from types import NoneType
from typing import Any

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.objects.reader import read
from cloud_adapter.state.objects.writer import ObjectWriter

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

E_TAG = "e_tag"
"""The key under which botbuilder's storages return an item's ETag, and expect it."""

TYPED = "~typed"
"""Marks items that hold objects: they are written as `["~typed", item]`."""

_SCALARS = frozenset({str, int, bool, float, NoneType})


def to_text(item: object) -> str:
    """The JSON text of an item. Equal items have equal texts, unless they are ordered differently.

    Raises:
        TypeError: state cannot hold a value; the text names the property, and what to do.
        ValueError: the item contains itself, nests too deeply, or contains a number without JSON
            form, such as NaN; the text names the property.
    """
    try:
        if type(item) is dict and _is_plain(item):
            return _ENCODER.encode(item)
    except (RecursionError, ValueError):
        pass  # the writer knows where
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
        UnreadableState: the item holds an object that cannot be read; the text names the property.
        ValueError: the text is not stored state.
    """
    try:
        item = json.loads(text)
    except RecursionError:
        raise ValueError("the stored state nests too deeply") from None
    if type(item) is dict:
        return item
    if type(item) is list and len(item) == 2 and item[0] == TYPED:
        try:
            return read(item[1], "state")
        except RecursionError:
            raise UnreadableState("state nests too deeply") from None
    raise ValueError("the stored state is not a JSON object")


def _is_plain(value: Any) -> bool:
    """Whether json reads a value as it writes it."""
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
