"""Stored JSON: what state may hold, as text and back. Nothing is pickled, and no class is made."""

import json
from collections.abc import Mapping
from typing import Any

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

E_TAG = "e_tag"
"""The key under which botbuilder's storages hand an item's version out, and take it back."""


def to_text(item: Mapping[str, Any]) -> str:
    """A state's JSON.

    Raises:
        TypeError: it holds what JSON has no form for; the text names the place.
        ValueError: it holds itself, or a number that is none (NaN, infinity).
    """
    _check(item, "")
    return _ENCODER.encode(item)


def from_text(text: str | bytes) -> dict[str, Any]:
    """The state that a JSON text holds.

    Raises:
        ValueError: it is no JSON object.
    """
    match json.loads(text):
        case dict(item):
            return item
    raise ValueError("what is stored is no JSON object")


def _check(value: object, place: str) -> None:
    """json would write tuples as lists and numbers as keys, which come back as something else."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"state{place} has a key that is no text: {type(key).__name__}")
            _check(item, f"{place}.{key}")
    elif isinstance(value, list):
        for item in value:
            _check(item, f"{place}[]")
    elif not isinstance(value, str | int | float | bool | None):
        raise TypeError(
            f"state{place} is a {type(value).__name__}: state holds what JSON can (texts, numbers,"
            " lists, dicts); keep the object's data in a dict"
        )
