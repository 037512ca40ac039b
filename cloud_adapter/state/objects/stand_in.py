"""StandIn: an object of a class that the bot does not have any more."""

from typing import Any


class StandIn:
    """Has the object's attributes, and is written as it was read, so that nothing is lost.

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
