"""PydanticShape: how pydantic's models are stored, without importing pydantic or calling it."""

from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from uuid import UUID

from cloud_adapter.state.objects.introspection import (
    class_mro,
    is_class,
    module_name,
    qualified_name,
)
from cloud_adapter.state.objects.shapes import (
    SAFE_FACTORIES,
    UNSET,
    Default,
    ObjectShape,
    constant,
    lookup,
    no_default,
)

FIELDS_SET = "__pydantic_fields_set__"
"""The slot with the names of the fields that were given or assigned: a set."""

UNKNOWN = "__pydantic_extra__"
"""The slot with the properties that the model does not name: a dict if the model allows them."""

PRIVATE = "__pydantic_private__"
"""The slot with the private attributes: a dict if the model has any."""

_UNCHANGING = (NoneType, str, int, float, bytes, Decimal, UUID, date, time, timedelta, Enum)
"""Types of defaults that objects may share."""


def is_pydantic_model(kind: type) -> bool:
    """Whether a class is a model of pydantic's."""
    names = ((module_name(base), qualified_name(base)) for base in class_mro(kind))
    return ("pydantic.main", "BaseModel") in names and type(_fields(kind)) is dict


def _fields(kind: type) -> Any:
    return lookup(kind, "__pydantic_fields__")


class PydanticShape(ObjectShape):
    """Models of pydantic, whose state is their `__dict__` and three slots.

    What is read equals what was written, dumps the same, and has the same `model_fields_set`.
    Nothing is validated, and no validator, serializer or `model_post_init` is called. Fields that
    are None by default and were not set are not stored.

    Args:
        tag: the tag of the class.
        kind: the class.

    Raises:
        TypeError: objects of the class cannot be put together; the text says why.
    """

    def __init__(self, tag: str, kind: type) -> None:
        super().__init__(tag, kind)
        config, private = lookup(kind, "model_config"), lookup(kind, "__private_attributes__")
        self._allows_unknown = type(config) is dict and config.get("extra") == "allow"
        self._private = self._defaults_from(private if type(private) is dict else {})
        fields = _fields(kind).items()
        self._omitted = {UNKNOWN, PRIVATE} | {
            name for name, field in fields if field.default is None and not field.default_factory
        }

    def _defaults_of(self, kind: type) -> dict[str, Default]:
        return self._defaults_from(_fields(kind))

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The object's parts and attributes."""
        parts, found = super().take_apart(value)
        if found.get(UNKNOWN) == {}:
            del found[UNKNOWN]
        is_set = found.get(FIELDS_SET, ())
        attributes = {
            name: found[name]
            # In the order in which they are read: an unchanged model has an unchanged text.
            for name in (*self._slots, *self._fields, *found)
            if found.get(name) is not None
            or (name in found and (name in is_set or name not in self._omitted))
        }
        return parts, attributes

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """The object of these parts and attributes; raises as Shape's does."""
        is_set = attributes.pop(FIELDS_SET, None)
        unknown, private = attributes.pop(UNKNOWN, None), attributes.pop(PRIVATE, None)
        are_names = type(is_set) is set and all(type(name) is str for name in is_set)
        if not are_names or not _has_names(unknown) or not _has_names(private):
            raise ValueError("is not written as a model of pydantic is")
        unknown = unknown or ({} if self._allows_unknown else None)
        # Of a field that the class has lost, `model_fields_set` must not speak: the Agents SDK
        # gets the attribute of each name in it.
        slots = {
            FIELDS_SET: is_set & (self._fields.keys() | (unknown or {}).keys()),
            UNKNOWN: unknown,
            PRIVATE: _completed(private or {}, self._private) or None,
        }
        return super().put_together(parts, slots | _completed(attributes, self._fields))

    def _defaults_from(self, fields: dict[str, Any]) -> dict[str, Default]:
        return {name: self._default_of(name, field) for name, field in fields.items()}

    def _default_of(self, name: str, field: Any) -> Default:
        """The default of a field or private attribute, which pydantic's own classes describe."""
        default, factory = field.default, field.default_factory
        if factory is not None:
            if is_class(factory) and factory in SAFE_FACTORIES:
                return lambda: factory()
        elif type(default).__name__ == "PydanticUndefinedType":
            return constant(UNSET)
        elif _can_copy(default):
            return lambda: _copied(default)
        return lambda: no_default(self.tag, name)


def _has_names(found: Any) -> bool:
    """Whether this is None, or a dict whose keys are names."""
    return found is None or (type(found) is dict and all(type(name) is str for name in found))


def _completed(found: dict[str, Any], defaults: dict[str, Default]) -> dict[str, Any]:
    """Attributes in the order of their defaults, which stand for what is missing."""
    known = {name: found.pop(name) if name in found else defaults[name]() for name in defaults}
    return {name: item for name, item in known.items() if item is not UNSET} | found


def _can_copy(default: Any) -> bool:
    kind = type(default)
    if kind in (list, tuple, set, frozenset):
        return all(map(_can_copy, default))
    if kind is dict:
        return all(map(_can_copy, default.values()))
    return issubclass(kind, _UNCHANGING)


def _copied(default: Any) -> Any:
    """A copy of a default, as pydantic makes one: objects must not share a list."""
    kind = type(default)
    if kind is dict:
        return {name: _copied(item) for name, item in default.items()}
    return kind(map(_copied, default)) if kind in (list, tuple, set, frozenset) else default
