"""Reads JSON with type tags; __init__.py describes the format."""

import math
from typing import Any

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.objects.allow_list import shape_for
from cloud_adapter.state.objects.shape import EXTRA, VALUE, Shape
from cloud_adapter.state.objects.values import BY_TAG, ValueType
from cloud_adapter.state.objects.writer import ATOMS, MAX_DEPTH, TYPE

CURE = "docs/state.md says which objects can be stored, and what to do if a class was changed"


def read(value: Any, path: str, depth: int = 0) -> Any:
    """The value that the writer wrote as this data.

    Args:
        value: data from JSON.
        path: where it is, for errors.
        depth: how many lists, dicts and objects contain it.

    Raises:
        UnreadableState: the writer does not write such data, or it holds what state cannot hold;
            the text names the path.
    """
    kind = type(value)
    if kind in ATOMS or kind is int:
        return value
    if depth > MAX_DEPTH:
        raise _unreadable(path, "nests too deeply")
    if kind is list:
        path = f"{path}[]"
        depth += 1
        return [item if type(item) in ATOMS else read(item, path, depth) for item in value]
    if kind is dict:
        return _object(value, path, depth + 1) if TYPE in value else _dict(value, path, depth + 1)
    if kind is float and math.isfinite(value):
        return value
    raise _unreadable(path, "is a number that has no JSON form")


def _dict(value: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
    inner = "" if path == "state" else f"{path}{{}}"
    return {
        _unescaped(key, path): (
            item if type(item) in ATOMS else read(item, inner or f"{path}.{_shown(key)}", depth)
        )
        for key, item in value.items()
    }


def _object(value: dict[str, Any], path: str, depth: int) -> Any:
    found = _type(value[TYPE], path)
    parts = {key: read(value[key], path, depth) for key in (VALUE, EXTRA) if key in value}
    attributes = {
        _unescaped(name, path): (
            item if type(item) in ATOMS else read(item, f"{path}.{_shown(name)}", depth)
        )
        for name, item in value.items()
        if name not in (TYPE, VALUE, EXTRA)
    }
    if isinstance(found, ValueType):
        return _value(found, parts, attributes, path)
    try:
        return found.put_together(parts, attributes)
    except ValueError as error:
        raise _unreadable(path, f"{error}. {CURE}") from None


def _type(tag: Any, path: str) -> ValueType | Shape:
    if type(tag) is not str:
        raise _unreadable(path, f"has a type that is not a string. {CURE}")
    try:
        return BY_TAG.get(tag) or shape_for(tag)
    except ValueError as error:
        raise _unreadable(path, f"is an object of {tag!r:.80}, which {error}. {CURE}") from None


def _value(values: ValueType, parts: dict[str, Any], attributes: dict[str, Any], path: str) -> Any:
    written, reason = parts.get(VALUE), ""
    try:
        if not attributes and parts.keys() == {VALUE} and type(written) is values.written:
            return values.read(written)
    except Exception as error:  # noqa: BLE001  # a class's own __hash__ may raise anything
        reason = f" ({type(error).__name__})"  # its text may quote what users sent
    raise _unreadable(path, f"is not written as a {values.tag} is{reason}")


def _unescaped(key: str, path: str) -> str:
    if not key.startswith("~"):
        return key
    if not key.startswith("~~"):
        raise _unreadable(path, "has a key that begins with a single ~")
    return key[1:]


def _shown(name: str) -> str:
    """The name of a property or attribute, for an error's text; stored names are not trusted."""
    return name if len(name) <= 80 and name.isidentifier() else f"{name!r:.80}"


def _unreadable(path: str, text: str) -> UnreadableState:
    return UnreadableState(f"{path:.400} {text}")
