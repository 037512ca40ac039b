"""Fields: those that a dataclass or NamedTuple declares, and their defaults."""

import dataclasses
from collections.abc import Callable
from types import MemberDescriptorType
from typing import Any

from cloud_adapter.state.objects.introspection import class_dict, class_mro, is_class
from cloud_adapter.state.objects.notices import warn_once

UNSET = object()
"""Stands for an attribute that an object does not have."""

_SAFE_FACTORIES = frozenset({dict, list, set, frozenset, tuple, str, int, float, bool})
"""The default factories that may be called while an object is read: none runs the bot's code."""

Default = Callable[[], Any]
"""Returns the value of a field that is not stored; UNSET if there is none."""


def field_defaults(tag: str, kind: type) -> dict[str, Default]:
    """The defaults of a class's fields; empty if it is neither a dataclass nor a NamedTuple.

    Args:
        tag: the tag of the class, for the log.
        kind: the class.
    """
    if type(_lookup(kind, "__dataclass_fields__")) is dict:
        return {field.name: _default(tag, kind, field) for field in dataclasses.fields(kind)}
    names, defaults = _lookup(kind, "_fields"), _lookup(kind, "_field_defaults")
    if not issubclass(kind, tuple) or type(names) is not tuple or type(defaults) is not dict:
        return {}
    return {name: _constant(defaults.get(name, UNSET)) for name in names}


def _lookup(kind: type, name: str) -> Any:
    """An attribute of a class, looked up without descriptors and `__getattr__`."""
    found = (class_dict(base)[name] for base in class_mro(kind) if name in class_dict(base))
    return next(found, UNSET)


def _constant(value: Any) -> Default:
    return lambda: value


def _default(tag: str, kind: type, field: dataclasses.Field[Any]) -> Default:
    if field.default is not dataclasses.MISSING:
        # Without slots, the default is an attribute of the class already.
        has_slot = type(_lookup(kind, field.name)) is MemberDescriptorType
        return _constant(field.default if has_slot else UNSET)
    factory: Any = field.default_factory
    if factory is dataclasses.MISSING:
        return _constant(UNSET)
    if is_class(factory) and factory in _SAFE_FACTORIES:
        return lambda: factory()
    return lambda: _no_default(tag, field.name)


def _no_default(tag: str, name: str) -> Any:
    warn_once(
        "Stored objects of %s lack the field %s, and its default_factory is not called, because"
        " no code of the bot runs while state is read: use default, or default_factory with list,"
        " dict or set",
        tag,
        name,
    )
    return UNSET
