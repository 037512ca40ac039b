"""Reads botbuilder's models, the Activity above all, from parsed JSON.

A reader for each class is compiled once, from its `_attribute_map`. It does what msrest does, but
keeps properties that the model does not name: they go to `additional_properties`, so that entities
(mentions, citations, streaming) survive. Classes with features that the codec does not support are
left to msrest, with a warning.
"""

import base64
import datetime
import functools
from collections.abc import Callable
from typing import Any

from msrest.serialization import Deserializer, Model

from cloud_adapter.codec.attribute_map import (
    Convert,
    Converters,
    Rule,
    attributes,
    is_sdk_model,
    named_classes,
    unsupported_feature,
    warn_of_msrest,
)
from cloud_adapter.errors import MalformedModel

# Longer strings are rejected before their case is changed, which can take twelve times their size.
MAX_BOOL_LENGTH = len("false")

MAX_DATETIME_LENGTH = 64
"""In characters; a date and time of RFC 3339 with nanoseconds has 35."""


def read_model(model: Any, data: object) -> Any:
    """An instance of the botbuilder model `model` from parsed JSON.

    Raises:
        MalformedModel: a property does not have the JSON type that the model declares.
    """
    return _READERS[model](data)


def _model_reader(model: Any) -> Convert:
    """Compile the reader of one model class."""
    # The SDK's constructors only assign their arguments, so they need not be called. Others may do
    # more.
    reason = unsupported_feature(model) or ("" if is_sdk_model(model) else "its own constructor")
    if reason:
        return _msrest_reader(model, reason)
    new, defaults = model.__new__, _defaults(model)
    properties = {key: (name, *_read_rule(kind, model)) for name, key, kind in attributes(model)}

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel(f"{model.__name__} is not an object")
        values = defaults()
        unknown = values["additional_properties"] = {}
        for key, item in data.items():
            known = properties.get(key)
            if known is None:
                unknown[key] = item
            elif item is not None:
                name, plain, convert = known
                values[name] = item if type(item) is plain else convert(item)
        instance = new(model)
        instance.__dict__ = values
        return instance

    return read


def _defaults(model: Any) -> Callable[[], dict[str, Any]]:
    """A function that returns the attributes of an empty instance."""
    defaults = dict(vars(model()))
    mutable = {name for name, value in defaults.items() if isinstance(value, list | dict | Model)}
    if mutable - {"additional_properties"}:  # which a copy would share
        return lambda: vars(model())
    return defaults.copy


def _msrest_reader(model: Any, reason: str) -> Convert:
    warn_of_msrest(model, reason)
    deserialize = Deserializer(named_classes(model))  # type: ignore[no-untyped-call]  # no types

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel(f"{model.__name__} is not an object")
        try:
            return deserialize(model, data)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise MalformedModel(f"{model.__name__} cannot be read") from error

    return read


@functools.cache
def _read_rule(kind: str, model: Any) -> Rule:
    """How a model's properties of a type are read: `str`, `[ChannelAccount]` ..."""
    if kind.startswith("["):
        return None, _list_reader(_read_rule(kind[1:-1], model))
    if kind.startswith("{"):
        return None, _dict_reader(_read_rule(kind[1:-1], model))
    return _BASIC_READERS.get(kind) or (None, _nested_reader(named_classes(model)[kind]))


def _nested_reader(model: Any) -> Convert:
    # Compiled on first use, because a model may contain itself. Some channels send "" for null.
    def read(data: Any) -> Any:
        return None if data == "" else _READERS[model](data)

    return read


def _list_reader(rule: Rule) -> Convert:
    plain, convert = rule

    def read(data: Any) -> Any:
        if type(data) is not list:
            raise MalformedModel("a list is expected")
        return [item if item is None or type(item) is plain else convert(item) for item in data]

    return read


def _dict_reader(rule: Rule) -> Convert:
    plain, convert = rule

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel("an object is expected")
        return {
            key: item if item is None or type(item) is plain else convert(item)
            for key, item in data.items()
        }

    return read


def _read_str(data: Any) -> str:
    if isinstance(data, dict | list):
        raise MalformedModel("a string is expected")
    return str(data)


_BOOLS: dict[Any, bool] = {"true": True, "1": True, 1: True, "false": False, "0": False, 0: False}


def _read_bool(data: Any) -> bool:
    try:
        is_short = isinstance(data, str) and len(data) <= MAX_BOOL_LENGTH
        return _BOOLS[data.lower() if is_short else data]
    except (KeyError, TypeError) as error:
        raise MalformedModel("true or false is expected") from error


def _read_int(data: Any) -> int:
    try:
        return int(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedModel("a whole number is expected") from error


def _read_float(data: Any) -> float:
    try:
        return float(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedModel("a number is expected") from error


def _read_datetime(data: Any) -> datetime.datetime:
    try:
        is_short = len(data) <= MAX_DATETIME_LENGTH
        found = datetime.datetime.fromisoformat(data.upper() if is_short else "")
        # As in msrest, a date that could not be converted to UTC later is refused now.
        if not datetime.MINYEAR < found.year < datetime.MAXYEAR:
            found.utctimetuple()
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise MalformedModel("an ISO 8601 date and time is expected") from error
    return found


def _read_bytes(data: Any) -> bytearray:
    try:
        return bytearray(base64.b64decode(data))
    except (TypeError, ValueError) as error:
        raise MalformedModel("base64 is expected") from error


def _read_object(data: Any) -> Any:
    return data


_BASIC_READERS: dict[str, Rule] = {
    "str": (str, _read_str),
    "bool": (bool, _read_bool),
    "int": (int, _read_int),
    "long": (int, _read_int),
    "float": (float, _read_float),
    "iso-8601": (None, _read_datetime),
    "bytearray": (None, _read_bytes),
    "object": (dict, _read_object),
}

_READERS = Converters(_model_reader)
