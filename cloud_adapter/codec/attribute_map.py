"""The properties that an SDK model's class declares, and the converters compiled from them.

msrest's models have an `_attribute_map`: for each Python attribute the JSON key and the type, in
msrest's own notation, such as `str`, `iso-8601`, `[ChannelAccount]` or `{object}`. The reader and
the writer compile a converter for each class from it, on first use, unless it declares what the
codec does not support.
"""

import functools
import logging
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import botbuilder.schema
import botbuilder.schema.teams
import botframework.connector.token_api.models
from msrest.serialization import Model

log = logging.getLogger(__name__)

SDK_MODULES: tuple[ModuleType, ...] = (
    botbuilder.schema,
    botbuilder.schema.teams,
    botframework.connector.token_api.models,
)
"""The modules that define the SDK's wire models."""

BASIC_TYPES = frozenset({"str", "bool", "int", "long", "float", "iso-8601", "bytearray", "object"})
"""The types that the codec supports, besides models, and lists and dicts of all of these."""

Convert = Callable[[Any], Any]

Rule = tuple[type | None, Convert]
"""The rule for values of one msrest type: the Python type that needs no conversion, if there is
one, and the function that converts all other values."""


def is_sdk_model(model: Any) -> bool:
    """Whether a class is one of the SDK's wire models."""
    return str(model.__module__).startswith(tuple(module.__name__ for module in SDK_MODULES))


def attributes(model: Any) -> list[tuple[str, str, str]]:
    """The attribute, the JSON key and the type of each property of a model's class."""
    return [
        # The entry without a key tells msrest about unknown properties; the codec keeps these.
        (name, entry["key"], _type_name(entry["type"]))
        for name, entry in model._attribute_map.items()
        if entry["key"]
    ]


def _type_name(declared: Any) -> str:
    # One class of the SDK declares a class instead of its name.
    return declared.__name__ if isinstance(declared, type) else declared


@functools.cache
def named_classes(model: Any) -> dict[str, Any]:
    """The classes that a model's types may name; those in the model's own module come first."""
    found: dict[str, Any] = {}
    for base in model.__mro__:
        found.setdefault(base.__name__, base)
    own = [sys.modules.get(base.__module__) for base in model.__mro__ if base is not object]
    for module in filter(None, (*own, *SDK_MODULES)):
        for name, value in vars(module).items():
            if isinstance(value, type):
                found.setdefault(name, value)
    return found


def unsupported_feature(model: Any) -> str:
    """A feature of a model's class that the codec does not support; empty if there is none."""
    return next(_unsupported_features(model), "")


def _unsupported_features(model: Any) -> Iterator[str]:
    entries: dict[str, dict[str, Any]] = model._attribute_map
    keys = [key for _, key, _ in attributes(model)]
    if model._subtype_map:
        yield "subtypes"
    if model.is_xml_model() or any(entry.keys() - {"key", "type"} for entry in entries.values()):
        yield "XML properties"
    if any(rule.get("readonly") or rule.get("constant") for rule in model._validation.values()):
        yield "read-only properties"
    if any("." in key for key in keys):
        yield "flattened keys"
    if len(set(keys)) < len(keys):
        yield "two attributes with one key"
    for name, _, kind in attributes(model):
        # If so, the instance's __dict__ may lack the attribute, or have another value for it.
        if hasattr(model, name) or name == "additional_properties":
            yield f"its own {name}"
        if not _is_supported(kind, model):
            yield f"the type {kind!r} of {name}"


def _is_supported(kind: str, model: Any) -> bool:
    if kind.startswith(("[", "{")):
        return _is_supported(kind[1:-1], model)
    found = named_classes(model).get(kind)
    return kind in BASIC_TYPES or (found is not None and issubclass(found, Model))


class Converters(dict[Any, Convert]):
    """The converters by class. A dict lookup takes half the time of a cached function.

    Args:
        compile_converter: creates the converter for a class.
    """

    def __init__(self, compile_converter: Callable[[Any], Convert]) -> None:
        super().__init__()
        self._compile = compile_converter

    def __missing__(self, kind: Any) -> Convert:
        converter = self[kind] = self._compile(kind)
        return converter


@functools.cache  # once for each class
def warn_of_msrest(model: Any, reason: str) -> None:
    """Log that msrest reads or writes a class, and which feature the codec does not support."""
    log.warning(
        "%s.%s is left to msrest, which is slow and drops unknown properties: it has %s",
        model.__module__,
        model.__qualname__,
        reason,
    )
