"""JSON with type tags: how objects are written, and read through an allow list. Nothing is pickled.

A typed item is `["~typed", item]`. No plain item has this form, because plain items are JSON
objects. In it, `{"~type": TAG, "~value": ..., "name": ...}` is an object with its attributes. Keys
that begin with `~` get another `~`, so no key of a bot or a user can be read as a tag.

| tag | stands for |
|---|---|
| `tuple`, `datetime` ... | a type of values.py |
| `botbuilder.dialogs.dialog_state:DialogState` | a class of the SDK: allow_list.py |
| `bot:models.user:Profile` | a class from a file in the bot's folder: bot_classes.py |

shapes.py takes objects apart and puts them together without running any code of their classes.
"""

import json
import math
from types import NoneType
from typing import Any

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.objects.allow_list import shape_for, shape_of
from cloud_adapter.state.objects.shapes import BASES, EXTRA, VALUE, Shape, StandIn, StandInShape
from cloud_adapter.state.objects.values import BY_TAG, BY_TYPE, UNORDERED, ValueType

TYPE = "~type"
"""The key of the tag."""

ATOMS = frozenset({str, bool, NoneType})
"""Types whose values are written as they are."""

MAX_DEPTH = 200
"""The depth to which lists, dicts and objects may nest in an item that holds objects."""

MAX_INT_BITS = 14_000
"""About 4,200 digits; Python refuses to read more than 4,300."""

_CURES = dict.fromkeys(
    ("function", "builtin_function_or_method", "method", "module", "type"), "store its name"
) | {"coroutine": "await it, and store the result"}

_SEE = "docs/state.md says which objects can be stored, and what to do if a class was changed"


class ObjectWriter:
    """Writes one item.

    Attributes:
        is_typed: whether a value has been written that plain JSON cannot represent.
    """

    def __init__(self) -> None:
        self.is_typed = False
        self._containers: set[int] = set()

    def write(self, value: Any, path: str, depth: int = 0) -> Any:
        """JSON-ready data for a value.

        Args:
            value: the value.
            path: where it is, for errors.
            depth: how many lists, dicts and objects contain it.

        Raises:
            TypeError: state cannot hold the value.
            ValueError: the value contains itself, nests too deeply, or is a number without JSON
                form.
        """
        kind = type(value)
        if kind in ATOMS:
            return value
        if kind is int:
            if value.bit_length() > MAX_INT_BITS:
                raise ValueError(f"{path} is a number with more digits than Python can read back")
            return value
        if kind is float:
            if not math.isfinite(value):
                raise ValueError(f"{path} is {value}, which has no JSON form")
            return value
        if id(value) in self._containers:
            raise ValueError(
                f"{path} contains itself: store a name or an id in place of the object"
            )
        if depth > MAX_DEPTH:
            raise ValueError(
                f"{path:.500} nests too deeply: at most {MAX_DEPTH} levels can be stored"
            )
        self._containers.add(id(value))
        written = self._container(value, kind, path, depth + 1)
        self._containers.discard(id(value))
        return written

    def _container(self, value: Any, kind: type, path: str, depth: int) -> Any:
        if kind is list:
            return self._list(value, path, depth)
        if kind is dict:
            return self._dict(value, path, depth)
        if (values := BY_TYPE.get(kind)) is not None:
            self.is_typed = True
            written = self.write(values.write(value), path, depth)
            if values.tag in UNORDERED:
                written.sort(key=json.dumps)
            return {TYPE: values.tag, VALUE: written}
        if (shape := _shape(value, path)) is not None:
            self.is_typed = True
            return self._object(shape, value, path, depth)
        return self.write(_json_value(value, path), path, depth)

    def _list(self, value: list[Any], path: str, depth: int) -> list[Any]:
        path = f"{path}[]"
        return [item if type(item) in ATOMS else self.write(item, path, depth) for item in value]

    def _dict(self, value: dict[Any, Any], path: str, depth: int) -> dict[str, Any]:
        # The bot's code names the properties, but keys inside them may come from users.
        inner = "" if path == "state" else f"{path}{{}}"
        if not all(type(key) is str for key in value):
            value = {_key(key, path): item for key, item in value.items()}
            if not all(type(key) is str for key in value):
                return self._pairs(value, inner or path, depth)
        return {
            _escaped(key): (
                item
                if type(item) in ATOMS
                else self.write(item, inner or f"{path}.{key:.80}", depth)
            )
            for key, item in value.items()
        }

    def _pairs(self, value: dict[Any, Any], path: str, depth: int) -> dict[str, Any]:
        self.is_typed = True
        written = [
            [self.write(key, path, depth + 2), self.write(item, path, depth + 2)]
            for key, item in value.items()
        ]
        return {TYPE: "dict", VALUE: written}

    def _object(self, shape: Shape, value: Any, path: str, depth: int) -> dict[str, Any]:
        try:
            parts, attributes = shape.take_apart(value)
        except TypeError as error:
            raise TypeError(f"{path} {error}") from None
        written: dict[str, Any] = {TYPE: shape.tag}
        for key, part in parts.items():
            written[key] = self.write(part, path, depth)
        for name, item in attributes.items():
            plain = type(item) in ATOMS
            written[_escaped(name)] = (
                item if plain else self.write(item, f"{path}.{name:.80}", depth)
            )
        return written


def _shape(value: Any, path: str) -> Shape | None:
    if type(value) is StandIn:
        return StandInShape(StandIn.stored(value)[0])
    try:
        return shape_of(type(value))
    except TypeError as error:
        raise TypeError(f"{path} {error}") from None


def _key(key: Any, path: str) -> Any:
    """A dict's key; a subclass of str that is not the bot's is written as a str."""
    is_text = issubclass(type(key), str) and _shape(key, path) is None
    return str.__str__(key) if is_text else key


def _json_value(value: Any, path: str) -> Any:
    """A value whose type derives from one of JSON's, such as defaultdict: the type is dropped."""
    for base in (str, int, float, list):
        if issubclass(type(value), base):
            return BASES[base](value)
    if issubclass(type(value), dict):
        return dict(dict.items(value))
    name = type(value).__name__
    cure = _CURES.get(name, "store its data, or an object of a class that is defined in bot_logic")
    raise TypeError(f"{path} is a {name:.80}, which state cannot hold: {cure}")


def _escaped(key: str) -> str:
    """A dict's key or an attribute's name, as it is written beside tags."""
    return f"~{key}" if key.startswith("~") else key


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
        raise _unreadable(path, f"{error}. {_SEE}") from None


def _type(tag: Any, path: str) -> ValueType | Shape:
    if type(tag) is not str:
        raise _unreadable(path, f"has a type that is not a string. {_SEE}")
    try:
        return BY_TAG.get(tag) or shape_for(tag)
    except ValueError as error:
        raise _unreadable(path, f"is an object of {tag!r:.80}, which {error}. {_SEE}") from None


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
