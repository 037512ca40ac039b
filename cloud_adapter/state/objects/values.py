"""Python's types that state may hold in addition to those of JSON, and how they are written."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class ValueType:
    """A type, and how its values are turned into values that can be written.

    Attributes:
        tag: its name in stored state.
        kind: the type itself.
        written: the type of what is written.
        write: turns a value into what is written.
        read: turns it back; may raise ValueError, TypeError or ArithmeticError.
    """

    tag: str
    kind: type
    written: type
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _read_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _read_timedelta(parts: list[Any]) -> timedelta:
    if any(type(part) is not int for part in parts):
        raise ValueError("not whole numbers")
    days, seconds, microseconds = parts
    return timedelta(days, seconds, microseconds)


def read_pairs(pairs: list[Any]) -> dict[Any, Any]:
    """The dict with these items; raises ValueError if one of them is not a pair."""
    if any(type(pair) is not list or len(pair) != 2 for pair in pairs):
        raise ValueError("not pairs")
    return dict(pairs)


_TYPES = (
    ValueType("tuple", tuple, list, list, tuple),
    ValueType("set", set, list, list, set),
    ValueType("frozenset", frozenset, list, list, frozenset),
    ValueType("dict", dict, list, lambda value: [list(pair) for pair in value.items()], read_pairs),
    ValueType("datetime", datetime, str, datetime.isoformat, datetime.fromisoformat),
    ValueType("date", date, str, date.isoformat, date.fromisoformat),
    ValueType("time", time, str, time.isoformat, time.fromisoformat),
    ValueType(
        "timedelta",
        timedelta,
        list,
        lambda value: [value.days, value.seconds, value.microseconds],
        _read_timedelta,
    ),
    ValueType("decimal", Decimal, str, str, Decimal),
    ValueType("uuid", UUID, str, str, UUID),
    ValueType("bytes", bytes, str, lambda value: base64.b64encode(value).decode(), _read_bytes),
    ValueType(
        "bytearray",
        bytearray,
        str,
        lambda value: base64.b64encode(value).decode(),
        lambda text: bytearray(_read_bytes(text)),
    ),
)

BY_TYPE = {each.kind: each for each in _TYPES}
BY_TAG = {each.tag: each for each in _TYPES}
UNORDERED = frozenset({"set", "frozenset"})
"""Tags of types without an order: their items are sorted, so that equal values have equal texts."""
