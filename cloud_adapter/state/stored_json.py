"""Stored JSON: what state may hold, as text and back. Nothing is pickled, and no class is made."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

E_TAG = "e_tag"
"""The key under which botbuilder's storages hand an item's version out, and take it back."""


def to_text(item: Mapping[str, Any]) -> str:
    """A state's JSON.

    Raises:
        TypeError: it holds a value that JSON cannot represent; the text names the property.
        ValueError: it contains itself, is nested too deeply to be read again, or holds NaN or
            infinity; the text names the property.
    """
    try:
        _check(item, "", set())
        return _ENCODER.encode(item)
    except RecursionError:
        raise ValueError("state nests too deeply") from None


def from_text(text: str | bytes) -> dict[str, Any]:
    """The state that a JSON text holds.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        item = json.loads(text)
    except RecursionError:
        raise ValueError("what is stored nests too deeply") from None
    if isinstance(item, dict):
        return item
    raise ValueError("what is stored is no JSON object")


def _check(value: object, place: str, around: set[int]) -> None:
    """json would write tuples as lists and numbers as keys, which come back as something else.

    Args:
        value: a part of a state.
        place: where in it.
        around: ids of the lists and dicts that hold it.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"state{place} is {value}, which JSON has no form for")
    if value is None or isinstance(value, str | int | float):
        return
    if not isinstance(value, dict | list):
        raise TypeError(
            f"state{place} is a {type(value).__name__}: state holds what JSON can (texts, numbers,"
            " lists, dicts); keep the object's data in a dict"
        )
    if id(value) in around:
        raise ValueError(f"state{place} holds itself")
    around.add(id(value))
    for inner_place, item in _parts(value, place):
        _check(item, inner_place, around)
    around.discard(id(value))


def _parts(value: dict[Any, Any] | list[Any], place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield f"{place}[]", item
        return
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"state{place} has a key that is no text: {type(key).__name__}")
        # The bot's code names the properties, but a key within one may come from a user.
        yield (f"{place}{{}}" if place else f".{key}"), item
