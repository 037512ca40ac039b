"""Shapes: how the objects of a class are taken apart, and put together without running its code."""

from contextlib import suppress
from enum import Enum, Flag
from typing import Any, Protocol

from cloud_adapter.codec.reader import read_model
from cloud_adapter.state.objects.introspection import class_dict

VALUE = "~value"
"""The key of an object's value: an enum member's name, the items of a list, dict, set or tuple."""

EXTRA = "~extra"
"""The key of attributes that are not fields of their dataclass or NamedTuple."""


class Shape(Protocol):
    """How the objects of one class are stored."""

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
        """What the stand-in was created from: the arguments of the constructor."""
        return stand_in.__tag, stand_in.__parts, stand_in.__dict__

    def __repr__(self) -> str:
        return f"<stand-in for {self.__tag}>"


class StandInShape:
    """Objects of a class that the bot no longer has."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def take_apart(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """See Shape."""
        return StandIn.stored(value)[1:]

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        return StandIn(self.tag, parts, attributes)


class EnumShape:
    """Members of an enum, by name; members of a Flag and their combinations, by value."""

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
        """See Shape."""
        attributes = {
            name: item
            for name, item in (self._defaults | vars(value)).items()
            if item is not None or self._defaults.get(name) is not None
        }
        if attributes.get("additional_properties") == {}:
            del attributes["additional_properties"]
        return {}, attributes

    def put_together(self, parts: dict[str, Any], attributes: dict[str, Any]) -> Any:
        """See Shape."""
        if parts:
            raise ValueError("has a value beside its attributes")
        model = read_model(self._kind, {})
        vars(model).update(attributes)
        return model
