"""The allow list: the classes whose objects state may hold, each with its shape."""

from enum import Enum

from msrest.serialization import Model

from cloud_adapter.codec.attribute_map import is_sdk_model
from cloud_adapter.state.objects.bot_classes import PREFIX, bot_classes
from cloud_adapter.state.objects.notices import warn_once
from cloud_adapter.state.objects.object_shape import ObjectShape
from cloud_adapter.state.objects.sdk_classes import find_sdk_class, sdk_tag
from cloud_adapter.state.objects.shape import (
    EnumShape,
    ModelShape,
    Shape,
    StandInShape,
)


def shape_of(kind: type) -> Shape | None:
    """The shape of a class's objects; None if state cannot hold them.

    Raises:
        TypeError: its objects could not be read again; the text says why.
    """
    found = bot_classes.found
    shape: Shape | None = found.get(kind)
    if shape is None and (tag := sdk_tag(kind) or bot_classes.tag(kind)):
        # If two classes share a tag, objects are read as the class that is written.
        shape = found[kind] = found[tag] = _shape(tag, kind)
    return shape


def shape_for(tag: str) -> Shape:
    """The shape of a stored object.

    Raises:
        ValueError: state cannot hold objects with this tag; the text says why.
    """
    shape: Shape | None = bot_classes.found.get(tag)
    if shape is not None:
        return shape
    kind = bot_classes.find(tag) if tag.startswith(PREFIX) else find_sdk_class(tag)
    if kind is None:
        warn_once(
            "State holds objects of %s, which bot_logic does not have: their attributes can be"
            " read, and are kept. If the class was renamed or moved, also assign it to its old name"
            " in its old module",
            tag,
        )
        return StandInShape(tag)
    try:
        shape = bot_classes.found[tag] = shape_of(kind)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if shape is None:
        raise ValueError("is not a class that state can hold")
    return shape


def _shape(tag: str, kind: type) -> Shape:
    if issubclass(kind, Enum):
        return EnumShape(tag, kind)
    if issubclass(kind, Model) and is_sdk_model(kind):
        return ModelShape(tag, kind)
    return ObjectShape(tag, kind)
