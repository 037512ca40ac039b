"""The codec between the wire's JSON and botbuilder's models, the Activity above all.

The models say themselves how they are written (msrest's `_attribute_map`); a reader of each class
is compiled from that once. Unlike msrest, it keeps what the models do not name: such properties
live in `additional_properties` and are written again, so that entities (mentions, citations,
streaming) survive the trip.
"""

import base64
import datetime
import enum
import functools
from collections.abc import Callable
from typing import Any

import botbuilder.schema
import botbuilder.schema.teams
import botframework.connector.token_api.models
from msrest.serialization import Model

Read = Callable[[Any], Any]

_MODEL_MODULES = (
    botbuilder.schema,
    botbuilder.schema.teams,
    botframework.connector.token_api.models,
)


class MalformedModel(ValueError):
    """The JSON does not have the shape that the model needs."""


def read_model(model: Any, data: object) -> Any:
    """An instance of the botbuilder model `model` from parsed JSON.

    Raises:
        MalformedModel: a property has another JSON type than the model's.
    """
    read = _model_reader(model)
    return read(data)


def write_value(value: object) -> Any:
    """JSON-ready data for a model, or for anything that holds models; None properties are left out.

    Raises:
        TypeError: there is a value in it that JSON has no form for.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is int or kind is float:
        return value
    if isinstance(value, Model):
        return _write_model(value)
    if isinstance(value, dict):
        return {str(key): write_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [write_value(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    return _write_rare(value)


def _write_model(model: Any) -> dict[str, Any]:
    written = {}
    values = model.__dict__
    for attribute, key in _keys(model.__class__):
        value = values.get(attribute)
        if value is not None:
            written[key] = write_value(value)
    for key, value in (values.get("additional_properties") or {}).items():
        written.setdefault(key, write_value(value))
    return written


def _write_rare(value: object) -> Any:
    if isinstance(value, datetime.datetime):
        return _write_datetime(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, str | int | float):  # their subclasses
        return value
    if type(value) is Exception and len(value.args) == 2:
        # So the SDK says what is wrong with a card's invoke, where the wire has an Error.
        return {"code": str(value.args[0]), "message": str(value.args[1])}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _write_datetime(moment: datetime.datetime) -> str:
    """UTC as msrest writes it; a moment without a time zone counts as UTC."""
    utc = moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    fraction = f"{utc.microsecond:06}".rstrip("0").ljust(3, "0")
    # Not strftime: its %Y writes the year 1, .NET's "no date", without its zeros.
    return f"{utc.isoformat(timespec='seconds')}.{fraction}Z"


@functools.cache
def _keys(model: Any) -> tuple[tuple[str, str], ...]:
    attributes: dict[str, Any] = model._attribute_map
    return tuple((name, entry["key"]) for name, entry in attributes.items() if entry["key"])


@functools.cache
def _model_reader(model: Any) -> Read:
    """Compile the reader of one model class.

    Raises:
        TypeError: the class uses a type that this codec does not know.
    """
    attributes: dict[str, Any] = model._attribute_map
    new = _maker(model)
    properties = {
        entry["key"]: (name, _reader(entry["type"]))
        for name, entry in attributes.items()
        if entry["key"]
    }

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel(f"{model.__name__} is not an object")
        instance = new()
        values = instance.__dict__
        unknown = values["additional_properties"] = {}
        for key, item in data.items():
            known = properties.get(key)
            if known is None:
                unknown[key] = item
            elif item is not None:
                values[known[0]] = known[1](item)
        return instance

    return read


def _maker(model: Any) -> Callable[[], Any]:
    """What makes an empty instance: the class, or where it is safe a copy of its defaults."""
    defaults = model().__dict__
    shared = {name for name, value in defaults.items() if isinstance(value, list | dict | Model)}
    if shared - {"additional_properties"}:
        return model  # type: ignore[no-any-return]  # a class of the untyped SDK

    def make() -> Any:
        instance = model.__new__(model)
        instance.__dict__.update(defaults)
        return instance

    return make


@functools.cache
def _reader(kind: Any) -> Read:
    """The reader of one msrest type: `str`, `[ChannelAccount]`, `{object}` ..."""
    name = kind.__name__ if isinstance(kind, type) else str(kind)
    if name.startswith("["):
        return _list_reader(_reader(name[1:-1]))
    if name.startswith("{"):
        return _dict_reader(_reader(name[1:-1]))
    if name in _BASIC_READERS:
        return _BASIC_READERS[name]
    return _nested_reader(_model_named(name))


def _model_named(name: str) -> Any:
    for module in _MODEL_MODULES:
        model = getattr(module, name, None)
        if isinstance(model, type) and issubclass(model, Model):
            return model
    raise TypeError(f"the models use a type that the codec does not know: {name}")


def _nested_reader(model: Any) -> Read:
    # Compiled on first use: models may hold themselves. Some channels send "" for "nothing".
    def read(data: Any) -> Any:
        return None if data == "" else _model_reader(model)(data)

    return read


def _list_reader(read_item: Read) -> Read:
    def read(data: Any) -> Any:
        if type(data) is not list:
            raise MalformedModel("a list is expected")
        return [None if item is None else read_item(item) for item in data]

    return read


def _dict_reader(read_item: Read) -> Read:
    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel("an object is expected")
        return {key: None if item is None else read_item(item) for key, item in data.items()}

    return read


def _read_text(data: Any) -> str:
    if type(data) is str:
        return data
    if isinstance(data, dict | list):
        raise MalformedModel("a string is expected")
    return str(data)


def _read_flag(data: Any) -> bool:
    if type(data) is bool:
        return data
    flags = {"true": True, "1": True, "false": False, "0": False}
    flag = flags.get(str(data).lower())
    if flag is None:
        raise MalformedModel("true or false is expected")
    return flag


def _read_whole(data: Any) -> int:
    try:
        return int(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedModel("a whole number is expected") from error


def _read_number(data: Any) -> float:
    try:
        return float(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedModel("a number is expected") from error


def _read_moment(data: Any) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(data.upper())
        # As msrest does: what cannot be written as UTC is refused where it comes in.
        moment.utctimetuple()
    except (AttributeError, ValueError, OverflowError) as error:
        raise MalformedModel("an ISO 8601 date and time is expected") from error
    return moment


def _read_bytes(data: Any) -> bytearray:
    try:
        return bytearray(base64.b64decode(data))
    except (TypeError, ValueError) as error:
        raise MalformedModel("base64 is expected") from error


def _read_anything(data: Any) -> Any:
    return data


_BASIC_READERS: dict[str, Read] = {
    "str": _read_text,
    "bool": _read_flag,
    "int": _read_whole,
    "long": _read_whole,
    "float": _read_number,
    "iso-8601": _read_moment,
    "bytearray": _read_bytes,
    "object": _read_anything,
}
