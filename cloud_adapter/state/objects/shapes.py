"""Shapes: how the objects of a class are taken apart, and put together without running its code."""

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, Flag
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Protocol

from cloud_adapter.codec import read_model
from cloud_adapter.state.objects.bot_classes import warn_once
from cloud_adapter.state.objects.introspection import class_dict, class_mro, is_class
from cloud_adapter.state.objects.values import read_pairs

VALUE = "~value"
"""The key of an object's value: an enum member's name, the items of a list, dict, set or tuple."""

EXTRA = "~extra"
"""The key of attributes that are not fields of their dataclass or NamedTuple."""

UNSET = object()
"""Stands for an attribute that an object does not have."""

SAFE_FACTORIES = frozenset({dict, list, set, frozenset, tuple, str, int, float, bool})
"""The default factories that may be called while an object is read: none runs the bot's code."""

Default = Callable[[], Any]
"""Returns the value of a field that is not stored; UNSET if there is none."""

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


class Shape(Protocol):
    """The stored form of the objects of one class."""

    tag: str

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parts (VALUE, EXTRA) and the attributes of an object.

        Raises:
            TypeError: the object could not be put together again; the text says why.
        """

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object.

        Raises:
            ValueError: these are not parts and attributes of an object of this class.
        """


class StandIn:
    """Stands for an object whose class is gone.

    It has the object's attributes, and is written as it was read, so that nothing is lost.

    Args:
        tag: the tag of the object's class.
        parts: what was stored of the object, beside its attributes.
        attributes: the object's attributes.
    """

    __slots__ = ("__dict__", "__parts", "__tag")

    def __init__(self, tag: str, parts: dict[str, Any], attributes: dict[str, Any]) -> None:
        self.__tag = tag
        self.__parts = parts
        self.__dict__ = attributes

    @staticmethod
    def stored(stand_in: "StandIn") -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The arguments of the constructor, from which the stand-in was created."""
        return stand_in.__tag, stand_in.__parts, stand_in.__dict__

    def __repr__(self) -> str:
        return f"<stand-in for {self.__tag}>"


class StandInShape:
    """Objects of a class that the bot no longer has."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The object's parts and attributes."""
        return StandIn.stored(value)[1:]

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object of these parts and attributes; raises as Shape's does."""
        return StandIn(self.tag, parts, attributes)


class EnumShape:
    """Members of an enum, by name; members of a Flag and their combinations, by value."""

    def __init__(self, tag: str, kind: type[Enum]) -> None:
        self.tag = tag
        self._kind = kind

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The object's parts and attributes."""
        return {VALUE: value._value_ if isinstance(value, Flag) else value._name_}, {}

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object of these parts and attributes; raises as Shape's does."""
        if attributes or parts.keys() != {VALUE}:
            raise ValueError("is not a member of an enum")
        member = parts[VALUE]
        if issubclass(self._kind, Flag) and type(member) is int:
            return self._flag(member)
        if type(member) is not str or member not in class_dict(self._kind)["_member_map_"]:
            raise ValueError(
                f"names {member!r:.80}, which is not a member of {self.tag}: keep the old name"
                " as an alias"
            )
        return class_dict(self._kind)["_member_map_"][member]

    def _flag(self, value: int) -> Any:
        found = class_dict(self._kind)["_value2member_map_"].get(value)
        if found is None:  # not `kind(value)`, which would call the class's own `_missing_`
            with suppress(ValueError):  # whose text has several lines
                found = vars(Flag)["_missing_"].__func__(self._kind, value)
        if type(found) is not self._kind:
            raise ValueError(f"has a value that is not a combination of members of {self.tag}")
        return found


class ModelShape:
    """Models of the schema. Attributes that are None are not stored."""

    def __init__(self, tag: str, kind: type) -> None:
        self.tag = tag
        self._kind = kind
        self._defaults = vars(read_model(kind, {}))

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The object's parts and attributes."""
        attributes = {
            name: item
            for name, item in (self._defaults | vars(value)).items()
            if item is not None or self._defaults.get(name) is not None
        }
        if attributes.get("additional_properties") == {}:
            del attributes["additional_properties"]
        return {}, attributes

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object of these parts and attributes; raises as Shape's does."""
        if parts:
            raise ValueError("has a value beside its attributes")
        model = read_model(self._kind, {})
        vars(model).update(attributes)
        return model


def lookup(kind: type, name: str) -> Any:
    """An attribute of a class, looked up without descriptors and `__getattr__`."""
    found = (class_dict(base)[name] for base in class_mro(kind) if name in class_dict(base))
    return next(found, UNSET)


def constant(value: Any) -> Default:
    """A default that is always the same."""
    return lambda: value


def _default(tag: str, kind: type, field: dataclasses.Field[Any]) -> Default:
    if field.default is not dataclasses.MISSING:
        # Without slots, the default is an attribute of the class already.
        has_slot = type(lookup(kind, field.name)) is MemberDescriptorType
        return constant(field.default if has_slot else UNSET)
    factory: Any = field.default_factory
    if factory is dataclasses.MISSING:
        return constant(UNSET)
    if is_class(factory) and factory in SAFE_FACTORIES:
        return lambda: factory()
    return lambda: no_default(tag, field.name)


def no_default(tag: str, name: str) -> Any:
    """UNSET, for a default that only the bot's code could make; the log says so, once."""
    warn_once(
        "Stored objects of %s lack the field %s, and its default is not made, because no code of"
        " the bot runs while state is read: use a plain default, or default_factory with list, dict"
        " or set",
        tag,
        name,
    )
    return UNSET


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
        self._fields = self._defaults_of(kind)
        self._is_named_tuple = self._base is tuple and bool(self._fields)
        self._own = self._fields.keys() | self._slots.keys()

    def _defaults_of(self, kind: type) -> dict[str, Default]:
        """The defaults of the class's fields; empty if the class declares none."""
        if type(lookup(kind, "__dataclass_fields__")) is dict:
            return {
                field.name: _default(self.tag, kind, field) for field in dataclasses.fields(kind)
            }
        names, defaults = lookup(kind, "_fields"), lookup(kind, "_field_defaults")
        if not issubclass(kind, tuple) or type(names) is not tuple or type(defaults) is not dict:
            return {}
        return {name: constant(defaults.get(name, UNSET)) for name in names}

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The object's parts and attributes."""
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
        """The object of these parts and attributes; raises as Shape's does."""
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
