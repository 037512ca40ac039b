"""Inspects classes and modules without running their own code, such as `__getattr__`."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeIs

_CLASS_DICT = vars(type)["__dict__"]
_CLASS_QUALNAME = vars(type)["__qualname__"]
_CLASS_MRO = vars(type)["__mro__"]
_MODULE_DICT = vars(ModuleType)["__dict__"]


def is_class(value: object) -> TypeIs[type]:
    """Whether a value is a class; unlike `isinstance`, it does not ask for `__class__`."""
    return issubclass(type(value), type)


def class_dict(kind: type) -> Mapping[str, Any]:
    """The attributes that a class itself defines."""
    found: Mapping[str, Any] = _CLASS_DICT.__get__(kind)
    return found


def class_mro(kind: type) -> tuple[type, ...]:
    """The class and its bases, in the order in which attributes are looked up."""
    found: tuple[type, ...] = _CLASS_MRO.__get__(kind)
    return found


def qualified_name(kind: type) -> str:
    """The class's name in its module, such as `Outer.Inner`."""
    return str(_CLASS_QUALNAME.__get__(kind))


def module_name(kind: type) -> str:
    """The name of the class's module; empty if `__module__` is not a string."""
    found = class_dict(kind).get("__module__")
    return found if type(found) is str else ""


def module_dict(module: object) -> Mapping[str, Any]:
    """The attributes of a module; empty for anything else."""
    return _MODULE_DICT.__get__(module) if issubclass(type(module), ModuleType) else {}
