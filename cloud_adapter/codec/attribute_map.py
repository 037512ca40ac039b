"""What an SDK model's class says of its properties, and what the codec cannot take from that.

msrest's models carry an `_attribute_map`: for each Python attribute the JSON key and the type, in
a notation of its own: `str`, `iso-8601`, `[ChannelAccount]`, `{object}`.
"""

import functools
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import botbuilder.schema
import botbuilder.schema.teams
import botframework.connector.token_api.models
from msrest.serialization import Model

SDK_MODULES: tuple[ModuleType, ...] = (
    botbuilder.schema,
    botbuilder.schema.teams,
    botframework.connector.token_api.models,
)
"""Where the SDK keeps what goes over the wire."""

BASIC_KINDS = frozenset({"str", "bool", "int", "long", "float", "iso-8601", "bytearray", "object"})
"""The types that the codec knows beside models, and lists and dicts of these."""


def is_sdk_model(model: Any) -> bool:
    """Is a class one of those that the SDK keeps for the wire?"""
    return str(model.__module__).startswith(tuple(module.__name__ for module in SDK_MODULES))


def attributes(model: Any) -> list[tuple[str, str, str]]:
    """The attribute, the JSON key and the type of each property of a model's class."""
    return [
        # The entry without a key is msrest's switch for unknown properties, which the codec keeps.
        (name, entry["key"], _kind(entry["type"]))
        for name, entry in model._attribute_map.items()
        if entry["key"]
    ]


def _kind(kind: Any) -> str:
    # One class of the SDK holds a class in the place of its name.
    return kind.__name__ if isinstance(kind, type) else kind


@functools.cache
def named_classes(model: Any) -> dict[str, Any]:
    """The classes that a model's types may name; its own module's before the SDK's."""
    found: dict[str, Any] = {}
    for base in model.__mro__:
        found.setdefault(base.__name__, base)
    own = [sys.modules.get(base.__module__) for base in model.__mro__ if base is not object]
    for module in filter(None, (*own, *SDK_MODULES)):
        for name, value in vars(module).items():
            if isinstance(value, type):
                found.setdefault(name, value)
    return found


def oddity(model: Any) -> str:
    """What the codec does not know of a model's class; empty when it knows all."""
    return next(_oddities(model), "")


def _oddities(model: Any) -> Iterator[str]:
    entries: dict[str, dict[str, Any]] = model._attribute_map
    keys = [key for _, key, _ in attributes(model)]
    if model._subtype_map:
        yield "its subtypes"
    if model.is_xml_model() or any(entry.keys() - {"key", "type"} for entry in entries.values()):
        yield "its XML"
    if any(rule.get("readonly") or rule.get("constant") for rule in model._validation.values()):
        yield "its read-only properties"
    if any("." in key for key in keys):
        yield "its flattened keys"
    if len(set(keys)) < len(keys):
        yield "two attributes with one key"
    for name, _, kind in attributes(model):
        # Then it need not stand in the instance's __dict__, or it stands for something else there.
        if hasattr(model, name) or name == "additional_properties":
            yield f"its own {name}"
        if not _is_known(kind, model):
            yield f"the type {kind!r} of {name}"


def _is_known(kind: str, model: Any) -> bool:
    if kind.startswith(("[", "{")):
        return _is_known(kind[1:-1], model)
    found = named_classes(model).get(kind)
    return kind in BASIC_KINDS or (found is not None and issubclass(found, Model))
