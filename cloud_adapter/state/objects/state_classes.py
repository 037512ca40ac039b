"""StateClasses: the allow list of the classes whose objects state may hold."""

from enum import Enum
from pathlib import Path

from msrest.serialization import Model

from cloud_adapter.codec.attribute_map import is_sdk_model
from cloud_adapter.state.objects.bot_classes import PREFIX, BotClasses
from cloud_adapter.state.objects.notices import warn_once
from cloud_adapter.state.objects.object_shape import ObjectShape
from cloud_adapter.state.objects.sdk_classes import find_sdk_class, sdk_tag
from cloud_adapter.state.objects.shape import (
    EnumShape,
    ModelShape,
    Shape,
    StandInShape,
)


class StateClasses:
    """The classes of one bot, and those of the SDK."""

    def __init__(self) -> None:
        self.use(None)

    def use(self, folder: Path | None) -> None:
        """Change to a bot's classes.

        Args:
            folder: the folder that is imported as `bot_logic`; None: no class is a bot's.
        """
        warn_once.cache_clear()
        self._bot = BotClasses(folder)
        self._shapes: dict[type, Shape] = {}
        self._by_tag: dict[str, Shape] = {}

    def shape_of(self, kind: type) -> Shape | None:
        """The shape of a class's objects; None if state cannot hold them.

        Raises:
            TypeError: the class could not be read again; the text says why.
        """
        shape = self._shapes.get(kind)
        if shape is None and (tag := sdk_tag(kind) or self._bot.tag(kind)):
            # Of two classes with one tag, the one that is written is the one that is read.
            shape = self._shapes[kind] = self._by_tag[tag] = _shape(tag, kind)
        return shape

    def shape_for(self, tag: str) -> Shape:
        """The shape of a stored object.

        Raises:
            ValueError: state cannot hold objects with this tag; the text says why.
        """
        if tag not in self._by_tag:
            kind = self._bot.find(tag) if tag.startswith(PREFIX) else find_sdk_class(tag)
            if kind is None:
                warn_once(
                    "State holds objects of %s, which bot_logic does not have: their attributes can"
                    " be read, and are kept. If the class was renamed or moved, assign it to its"
                    " old name in its old module, too",
                    tag,
                )
                return StandInShape(tag)
            try:
                shape = self.shape_of(kind)
            except TypeError as error:
                raise ValueError(str(error)) from None
            if shape is None:
                raise ValueError("is not a class that state can hold")
            self._by_tag[tag] = shape
        return self._by_tag[tag]


def _shape(tag: str, kind: type) -> Shape:
    if issubclass(kind, Enum):
        return EnumShape(tag, kind)
    if issubclass(kind, Model) and is_sdk_model(kind):
        return ModelShape(tag, kind)
    return ObjectShape(tag, kind)


state_classes = StateClasses()
"""The classes of this process's bot: `BotFolder` calls `use`."""
