"""The JSON of stored state. Nothing is pickled, and no objects are created from a text."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

E_TAG = "e_tag"
"""The key under which botbuilder's storages return an item's ETag, and expect it."""


def to_text(item: Mapping[str, Any]) -> str:
    """The JSON text of a state.

    Raises:
        TypeError: a value has no JSON form; the text names the property.
        ValueError: the state contains itself, nests too deeply to be read again, or contains NaN
            or infinity, which have no JSON form; the text names the property.
    """
    try:
        _check(item, "", set())
        return _ENCODER.encode(item)
    except RecursionError:
        raise ValueError("the state nests too deeply") from None


def from_text(text: str | bytes) -> dict[str, Any]:
    """The state of a JSON text.

    Raises:
        ValueError: the text is not a JSON object.
    """
    try:
        item = json.loads(text)
    except RecursionError:
        raise ValueError("the stored state nests too deeply") from None
    if isinstance(item, dict):
        return item
    raise ValueError("the stored state is not a JSON object")


def _check(value: object, path: str, containers: set[int]) -> None:
    """Refuse what json would write in a form that is read as something else, such as a tuple.

    Args:
        value: a part of a state.
        path: where in the state it is.
        containers: ids of the lists and dicts that contain it.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"state{path} is {value}, which has no JSON form")
    if value is None or isinstance(value, str | int | float):
        return
    if not isinstance(value, dict | list):
        raise TypeError(
            f"state{path} is a {type(value).__name__}, which has no JSON form: store texts,"
            " numbers, lists and dicts"
        )
    if id(value) in containers:
        raise ValueError(f"state{path} contains itself")
    containers.add(id(value))
    for inner_path, item in _parts(value, path):
        _check(item, inner_path, containers)
    containers.discard(id(value))


def _parts(value: dict[Any, Any] | list[Any], path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield f"{path}[]", item
        return
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(
                f"state{path} has a key of the type {type(key).__name__}, which has no JSON form"
            )
        # The bot's code names the properties, but keys inside them may come from users.
        yield (f"{path}{{}}" if path else f".{key}"), item
