"""ObjectShape: plain classes, dataclasses, NamedTuples, and subclasses of Python's own types."""

from collections.abc import Callable
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from cloud_adapter.state.objects.fields import UNSET, field_defaults
from cloud_adapter.state.objects.introspection import class_dict, class_mro
from cloud_adapter.state.objects.notices import warn_once
from cloud_adapter.state.objects.shape import EXTRA, VALUE
from cloud_adapter.state.objects.values import read_pairs

BASES: dict[Any, Callable[[Any], Any]] = {
    dict: lambda value: [list(pair) for pair in dict.items(value)],
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: list(tuple.__iter__(value)),
    set: lambda value: list(set.__iter__(value)),
    frozenset: lambda value: list(frozenset.__iter__(value)),
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}
"""The built-in types that a class may derive from, each with a function that returns its value in a
form that can be written."""

_IGNORED = frozenset({"__orig_class__"})
"""Attributes that `typing` sets on objects of generic classes."""


class ObjectShape:
    """Objects with attributes, and with a value if their class derives from a type in BASES.

    No constructor, `__new__`, `__setstate__`, property or descriptor of the class is called:
    attributes are written to the object's `__dict__` and to its slots.

    Args:
        tag: the tag of the class.
        kind: the class.

    Raises:
        TypeError: objects of the class cannot be put together; the text says why.
    """

    def __init__(self, tag: str, kind: type) -> None:
        self.tag = tag
        self._kind = kind
        mro = class_mro(kind)
        if any("__del__" in class_dict(base) for base in mro):
            raise TypeError("is of a class with a __del__, which would run: store its data instead")
        bases: list[Any] = [base for base in mro if base in BASES or base is object]
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
            for name, slot in class_dict(base).items()
            if type(slot) is MemberDescriptorType
        }
        dicts = (class_dict(base)["__dict__"] for base in mro if "__dict__" in class_dict(base))
        self._dict = next(dicts, None)
        if self._dict is not None and type(self._dict) is not GetSetDescriptorType:
            raise TypeError("is of a class that defines __dict__ itself: store its data instead")
        self._fields = field_defaults(tag, kind)
        self._is_named_tuple = self._base is tuple and bool(self._fields)
        self._own = self._fields.keys() | self._slots.keys()

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """See Shape."""
        parts: dict[str, Any] = {}
        attributes: dict[str, Any] = self._dict.__get__(value) if self._dict is not None else {}
        if any(map(_is_dunder, attributes)):
            attributes = {name: attributes[name] for name in attributes if name not in _IGNORED}
            if refused := next(filter(_is_dunder, attributes), None):
                raise TypeError(f"has the attribute {refused:.80}: state cannot hold such names")
        if self._fields and not attributes.keys() <= self._own:
            parts[EXTRA] = {name: attributes[name] for name in attributes if name not in self._own}
            attributes = {name: attributes[name] for name in attributes if name in self._own}
        slots = {name: _slot_value(slot, value) for name, slot in self._slots.items()}
        attributes = {
            **{name: item for name, item in slots.items() if item is not UNSET},
            **attributes,
        }
        if self._is_named_tuple:
            attributes |= zip(self._fields, tuple.__iter__(value), strict=True)
        elif self._base is not object:
            parts[VALUE] = BASES[self._base](value)
        return parts, attributes

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        extra = parts.pop(EXTRA, {})
        if type(extra) is not dict or any(type(name) is not str for name in extra):
            raise ValueError("has attributes without names")
        for name, default in self._fields.items():
            if name not in attributes and (item := default()) is not UNSET:
                attributes[name] = item
        value = self._new(parts, attributes)
        own = self._dict.__get__(value) if self._dict is not None else None
        for name, item in (attributes | extra).items():
            if name in self._slots:
                self._slots[name].__set__(value, item)
            elif _is_dunder(name):
                raise ValueError("has an attribute whose name is reserved for Python")
            elif own is not None and (not self._fields or name in self._fields or name in extra):
                own[name] = item
            else:
                warn_once(
                    "Stored objects of %s have the attribute %.80r, which their class no longer"
                    " has: it is dropped when they are saved",
                    self.tag,
                    name,
                )
        return value

    def _new(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object without its attributes."""
        if self._is_named_tuple:
            if missing := [name for name in self._fields if name not in attributes]:
                raise ValueError(f"lacks the field {missing[0]}: give it a default")
            return tuple.__new__(self._kind, [attributes.pop(name) for name in self._fields])
        if self._base is object:
            if parts:
                raise ValueError("has a value beside its attributes")
            return object.__new__(self._kind)
        value = parts.get(VALUE)
        expected = self._base if self._base in (str, int, float) else list
        if type(value) is not expected:
            raise ValueError(f"has no value that is a {expected.__name__}")
        try:
            return self._filled(value)
        except Exception:  # noqa: BLE001  # a class's own __hash__ may raise anything
            raise ValueError(f"has a value that does not fit a {self._base.__name__}") from None

    def _filled(self, value: Any) -> Any:
        if self._base not in (list, dict, set):
            return self._base.__new__(self._kind, value)
        created = self._base.__new__(self._kind)
        fill = list.extend if self._base is list else self._base.update
        fill(created, read_pairs(value) if self._base is dict else value)
        return created


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _slot_value(slot: Any, value: Any) -> Any:
    try:
        return slot.__get__(value)
    except AttributeError:
        return UNSET
