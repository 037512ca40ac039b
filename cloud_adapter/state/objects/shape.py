"""Shapes: how the objects of a class are taken apart, and put together without running its code.

No constructor, `__new__`, `__setstate__`, property or descriptor of the class is called: attributes
are written to the object's `__dict__` and slots.
"""

import dataclasses
import logging
from collections.abc import Callable
from enum import Enum, Flag
from functools import lru_cache
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Protocol

from cloud_adapter.codec.reader import read_model
from cloud_adapter.state.objects.introspection import class_dict, class_mro, is_class
from cloud_adapter.state.objects.stand_in import StandIn

VALUE = "~value"
"""The key of an object's value: an enum member's name, the items of a list, dict, set or tuple."""

EXTRA = "~extra"
"""The key of attributes that are no fields of their dataclass or NamedTuple."""

log = logging.getLogger(__name__)


class Shape(Protocol):
    """How the objects of one class are stored."""

    tag: str

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parts (VALUE, EXTRA) and the attributes of an object."""

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object.

        Raises:
            ValueError: these are not parts and attributes of an object of this class.
        """


class StandInShape:
    """Objects of a class that the bot does not have any more."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """See Shape."""
        return StandIn.stored(value)[1:]

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        return StandIn(self.tag, parts, attributes)


class EnumShape:
    """Members of an enum, by name; of a Flag, whose members have combinations, by value."""

    def __init__(self, tag: str, kind: type[Enum]) -> None:
        self.tag = tag
        self._kind = kind

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """See Shape."""
        return {VALUE: value._value_ if isinstance(value, Flag) else value._name_}, {}

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        if attributes or parts.keys() != {VALUE}:
            raise ValueError("is not a member of an enum")
        member = parts[VALUE]
        if issubclass(self._kind, Flag) and type(member) is int:
            return self._flag(member)
        if type(member) is not str or member not in class_dict(self._kind)["_member_map_"]:
            raise ValueError(
                f"names {member!r:.80}, which is no member of {self.tag}: keep a member under its"
                " old name, too"
            )
        return class_dict(self._kind)["_member_map_"][member]

    def _flag(self, value: int) -> Any:
        known = class_dict(self._kind)["_value2member_map_"].get(value)
        # Not `kind(value)`, which would call the class's own `_missing_`.
        found = known or vars(Flag)["_missing_"].__func__(self._kind, value)
        if type(found) is not self._kind:
            raise ValueError(f"has a value that is no combination of members of {self.tag}")
        return found


class ModelShape:
    """Models of the schema. Attributes that are None are not stored."""

    def __init__(self, tag: str, kind: type) -> None:
        self.tag = tag
        self._kind = kind
        self._defaults = vars(read_model(kind, {}))

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """See Shape."""
        default = self._defaults.get
        return {}, {
            name: item
            for name, item in vars(value).items()
            if not (item is None and default(name) is None)
            if not (name == "additional_properties" and item == {})
        }

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        if parts:
            raise ValueError("has a value beside its attributes")
        model = read_model(self._kind, {})
        vars(model).update(attributes)
        return model


_BASES: dict[Any, Callable[[Any], Any]] = {
    dict: lambda value: [list(pair) for pair in dict.items(value)],
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: list(tuple.__iter__(value)),
    set: lambda value: list(set.__iter__(value)),
    frozenset: lambda value: list(frozenset.__iter__(value)),
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}
"""Python's types from which a bot's class may derive, and how their values are read."""

_SAFE_FACTORIES = frozenset({dict, list, set, frozenset, tuple, str, int, float, bool})
"""Factories of dataclass fields that may be called while an object is read."""

_IGNORED = frozenset({"__orig_class__"})
"""Attributes that Python sets for type checkers only."""


class ObjectShape:
    """Objects with attributes: plain classes, dataclasses, NamedTuples, subclasses of dict ...

    Raises:
        TypeError: objects of the class cannot be put together again.
    """

    def __init__(self, tag: str, kind: type) -> None:
        self.tag = tag
        self._kind = kind
        mro = class_mro(kind)
        bases: list[Any] = [base for base in mro if base in _BASES or base is object]
        self._base = bases[0]
        try:
            self._base.__new__(kind)
        except TypeError:
            raise TypeError(
                "is of a class that holds more than attributes: store its data instead"
            ) from None
        self._slots = {
            name: slot
            for base in reversed(mro)
            if base not in _BASES
            for name, slot in class_dict(base).items()
            if type(slot) is MemberDescriptorType
        }
        own_dicts = (class_dict(base)["__dict__"] for base in mro if "__dict__" in class_dict(base))
        self._dict = next(own_dicts, None)
        if self._dict is not None and type(self._dict) is not GetSetDescriptorType:
            raise TypeError("is of a class with a __dict__ of its own: store its data instead")
        self._fields = _fields(kind)
        self._is_named_tuple = self._base is tuple and bool(self._fields)

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """See Shape."""
        attributes = {
            name: item
            for name, slot in self._slots.items()
            if (item := _slot_value(slot, value)) is not _UNSET
        }
        parts = {}
        if self._dict is not None:
            attributes |= self._dict.__get__(value)
        for name in _IGNORED & attributes.keys():
            del attributes[name]
        if self._fields:
            own = self._fields.keys() | self._slots.keys()
            if extra := {name: attributes.pop(name) for name in attributes.keys() - own}:
                parts[EXTRA] = extra
        if self._is_named_tuple:
            attributes |= zip(self._fields, tuple.__iter__(value), strict=True)
        elif self._base is not object:
            parts[VALUE] = _BASES[self._base](value)
        return parts, attributes

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        extra = parts.pop(EXTRA, {})
        if type(extra) is not dict:
            raise ValueError("has attributes that are no dict")
        for name, field in self._fields.items():
            if name not in attributes and (default := field(self.tag, name)) is not _UNSET:
                attributes[name] = default
        value = self._new(parts, attributes)
        own = self._dict.__get__(value) if self._dict is not None else None
        for name, item in (attributes | extra).items():
            if name in self._slots:
                self._slots[name].__set__(value, item)
            elif name.startswith("__") and name.endswith("__"):
                raise ValueError("has an attribute with a name of Python's own")
            elif own is not None and (not self._fields or name in self._fields or name in extra):
                own[name] = item
            else:
                _log_dropped(self.tag, name)
        return value

    def _new(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object without its attributes."""
        if self._is_named_tuple:
            if missing := self._fields.keys() - attributes.keys():
                raise ValueError(f"lacks the field {min(missing)}, which has no default")
            return tuple.__new__(self._kind, [attributes.pop(name) for name in self._fields])
        if self._base is object:
            if parts:
                raise ValueError("has a value beside its attributes")
            return object.__new__(self._kind)
        value = parts.get(VALUE)
        expected = self._base if self._base in (str, int, float) else list
        if type(value) is not expected:
            raise ValueError(f"has a value that is no {expected.__name__}")
        if self._base in (list, dict, set):
            created = self._base.__new__(self._kind)
            fill = list.extend if self._base is list else self._base.update
            fill(created, pairs(value) if self._base is dict else value)
            return created
        return self._base.__new__(self._kind, value)


def pairs(value: list[Any]) -> list[Any]:
    """The items of a dict.

    Raises:
        ValueError: a list does not consist of pairs.
    """
    if any(type(pair) is not list or len(pair) != 2 for pair in value):
        raise ValueError("has items that are no pairs")
    return value


_UNSET = object()


def _slot_value(slot: Any, value: Any) -> Any:
    try:
        return slot.__get__(value)
    except AttributeError:
        return _UNSET


def _fields(kind: type) -> dict[str, Callable[[str, str], Any]]:
    """For each field of a dataclass or NamedTuple, a function that returns its default."""
    found = _lookup(kind, "__dataclass_fields__")
    if type(found) is dict:
        return {field.name: _default(field) for field in dataclasses.fields(kind)}
    names, defaults = _lookup(kind, "_fields"), _lookup(kind, "_field_defaults")
    if not issubclass(kind, tuple) or type(names) is not tuple or type(defaults) is not dict:
        return {}
    return {name: _constant(defaults.get(name, _UNSET)) for name in names}


def _lookup(kind: type, name: str) -> Any:
    return next(
        (class_dict(base)[name] for base in class_mro(kind) if name in class_dict(base)), None
    )


def _constant(value: Any) -> Callable[[str, str], Any]:
    return lambda _tag, _name: value


def _default(field: dataclasses.Field[Any]) -> Callable[[str, str], Any]:
    if field.default is not dataclasses.MISSING:
        return _constant(field.default)
    factory: Any = field.default_factory
    if factory is dataclasses.MISSING:
        return _constant(_UNSET)
    if is_class(factory) and factory in _SAFE_FACTORIES:
        return lambda _tag, _name: factory()
    return _log_no_default


@lru_cache(maxsize=256)
def _log_dropped(tag: str, name: str) -> None:
    """Log, once, that a stored attribute is no field any more."""
    log.warning(
        "Stored objects of %s have the attribute %.80r, which their class no longer has: it is"
        " dropped when they are saved",
        tag,
        name,
    )


@lru_cache(maxsize=256)
def _log_no_default(tag: str, name: str) -> Any:
    """Log, once, that an object lacks a field, whose default would be made by the bot's code."""
    log.warning(
        "Stored objects of %s lack the field %s, and stay without it, because no code of the bot"
        " runs while state is read: give the field a default, or the default_factory list or dict",
        tag,
        name,
    )
    return _UNSET
