"""The codec between the wire's JSON and botbuilder's models, the Activity above all.

The models say themselves how they are written (msrest's `_attribute_map`); a reader and a writer
of each class are compiled from that once. They do what msrest does, save where that loses or
garbles what was meant: what the models do not name lives in `additional_properties` and is written
again, so that entities (mentions, citations, streaming) survive the trip, and free JSON may hold
enums, tuples and bytes. A class with more to it than the codec knows is left to msrest, with a
warning.
"""

import base64
import datetime
import decimal
import enum
import functools
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msrest.serialization import Deserializer, Model, Serializer

from cloud_adapter.attribute_map import attributes, is_sdk_model, named_classes, oddity

Convert = Callable[[Any], Any]

Rule = tuple[type | None, Convert]
"""How values of one msrest type are converted; those of exactly the Python type are not."""

# Longer strings are rejected unread: changing their case can take twelve times their memory.
MAX_FLAG_LENGTH = len("false")
MAX_MOMENT_LENGTH = 64
"""Characters; RFC 3339 with nanoseconds has 35."""

log = logging.getLogger(__name__)


class MalformedModel(ValueError):
    """The JSON does not have the shape that the model needs."""


def read_model(model: Any, data: object) -> Any:
    """An instance of the botbuilder model `model` from parsed JSON.

    Raises:
        MalformedModel: a property has another JSON type than the model's.
    """
    return _READERS[model](data)


def write_value(value: object) -> Any:
    """JSON-ready data for a model, or for anything that holds models; None properties are left out.

    Raises:
        TypeError: a value in it has no JSON form, or is not of its property's type. The text names
            the property, and never quotes the value.
    """
    return _WRITERS[type(value)](value)


class _Converters(dict[Any, Convert]):
    """What reads models, or writes values, by their class; each compiled when it is first needed.

    A dict of this kind is asked in half the time that a cached function takes.

    Args:
        compiled: makes the converter of a class.
    """

    def __init__(self, compiled: Callable[[Any], Convert]) -> None:
        super().__init__()
        self._compiled = compiled

    def __missing__(self, kind: Any) -> Convert:
        converter = self[kind] = self._compiled(kind)
        return converter


# Models


def _model_reader(model: Any) -> Convert:
    """Compile the reader of one model class."""
    # The SDK's constructors only keep what they are given. Others may do more with it.
    reason = oddity(model) or ("" if is_sdk_model(model) else "its own constructor")
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
                name, as_it_is, convert = known
                values[name] = item if type(item) is as_it_is else convert(item)
        instance = new(model)
        instance.__dict__ = values
        return instance

    return read


def _defaults(model: Any) -> Callable[[], dict[str, Any]]:
    """What makes the attributes of an empty instance: where nothing is shared by it, a copy."""
    defaults = dict(vars(model()))
    shared = {name for name, value in defaults.items() if isinstance(value, list | dict | Model)}
    return (lambda: vars(model())) if shared - {"additional_properties"} else defaults.copy


def _model_writer(model: Any) -> Convert:
    """Compile the writer of one model class."""
    reason = oddity(model)
    if reason:
        return _msrest_writer(model, reason)
    properties = [(name, key, *_write_rule(kind)) for name, key, kind in attributes(model)]

    def write(instance: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        value_of = instance.__dict__.get
        try:
            for name, key, as_it_is, convert in properties:
                value = value_of(name)
                if value is not None:
                    written[key] = value if type(value) is as_it_is else convert(value)
        except TypeError as error:
            raise TypeError(f"{model.__name__}.{name}: {error}") from error
        unknown = value_of("additional_properties")
        if unknown:
            for key, value in _write_dict(unknown).items():
                written.setdefault(key, value)
        return written

    return write


def _msrest_reader(model: Any, reason: str) -> Convert:
    _warn(model, reason)
    deserialize = Deserializer(named_classes(model))  # type: ignore[no-untyped-call]  # no types

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel(f"{model.__name__} is not an object")
        try:
            return deserialize(model, data)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise MalformedModel(f"{model.__name__} cannot be read") from error

    return read


def _msrest_writer(model: Any, reason: str) -> Convert:
    _warn(model, reason)
    serializer = Serializer(named_classes(model))  # type: ignore[no-untyped-call]  # no types

    def write(instance: Any) -> Any:
        try:
            written = serializer.serialize_data(  # type: ignore[no-untyped-call]  # no types
                instance, model.__name__
            )
        except (ValueError, TypeError, AttributeError, LookupError):
            # msrest's own error quotes the whole model.
            raise TypeError(f"{model.__name__} cannot be written") from None
        return write_value(written)

    return write


@functools.cache
def _warn(model: Any, reason: str) -> None:
    log.warning(
        "%s.%s is left to msrest, which is slow and drops unknown properties: it has %s",
        model.__module__,
        model.__qualname__,
        reason,
    )


# Reading properties by their types


@functools.cache
def _read_rule(kind: str, model: Any) -> Rule:
    """How a property of a model is read that has this type: `str`, `[ChannelAccount]` ..."""
    if kind.startswith("["):
        return None, _list_reader(_read_rule(kind[1:-1], model))
    if kind.startswith("{"):
        return None, _dict_reader(_read_rule(kind[1:-1], model))
    return _BASIC_READERS.get(kind) or (None, _nested_reader(named_classes(model)[kind]))


def _nested_reader(model: Any) -> Convert:
    # Compiled on first use: models may hold themselves. Some channels send "" for "nothing".
    def read(data: Any) -> Any:
        return None if data == "" else _READERS[model](data)

    return read


def _list_reader(rule: Rule) -> Convert:
    as_it_is, convert = rule

    def read(data: Any) -> Any:
        if type(data) is not list:
            raise MalformedModel("a list is expected")
        return [item if item is None or type(item) is as_it_is else convert(item) for item in data]

    return read


def _dict_reader(rule: Rule) -> Convert:
    as_it_is, convert = rule

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise MalformedModel("an object is expected")
        return {
            key: item if item is None or type(item) is as_it_is else convert(item)
            for key, item in data.items()
        }

    return read


def _read_text(data: Any) -> str:
    if isinstance(data, dict | list):
        raise MalformedModel("a string is expected")
    return str(data)


_FLAGS: dict[Any, bool] = {"true": True, "1": True, 1: True, "false": False, "0": False, 0: False}


def _read_flag(data: Any) -> bool:
    try:
        is_short = isinstance(data, str) and len(data) <= MAX_FLAG_LENGTH
        return _FLAGS[data.lower() if is_short else data]
    except (KeyError, TypeError) as error:
        raise MalformedModel("true or false is expected") from error


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
        is_short = len(data) <= MAX_MOMENT_LENGTH
        moment = datetime.datetime.fromisoformat(data.upper() if is_short else "")
        # As msrest does: what cannot be written as UTC is refused where it comes in.
        if not datetime.MINYEAR < moment.year < datetime.MAXYEAR:
            moment.utctimetuple()
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise MalformedModel("an ISO 8601 date and time is expected") from error
    return moment


def _read_bytes(data: Any) -> bytearray:
    try:
        return bytearray(base64.b64decode(data))
    except (TypeError, ValueError) as error:
        raise MalformedModel("base64 is expected") from error


def _read_anything(data: Any) -> Any:
    return data


_BASIC_READERS: dict[str, Rule] = {
    "str": (str, _read_text),
    "bool": (bool, _read_flag),
    "int": (int, _read_whole),
    "long": (int, _read_whole),
    "float": (float, _read_number),
    "iso-8601": (None, _read_moment),
    "bytearray": (None, _read_bytes),
    "object": (dict, _read_anything),
}


# Writing properties by their types


@functools.cache
def _write_rule(kind: str) -> Rule:
    """How a property is written that has this type."""
    if kind.startswith("["):
        return None, _list_writer(_write_rule(kind[1:-1]))
    if kind.startswith("{"):
        return None, _dict_writer(_write_rule(kind[1:-1]))
    return _BASIC_WRITERS.get(kind) or (None, _write_nested)


def _list_writer(rule: Rule) -> Convert:
    as_it_is, convert = rule

    def write(values: Any) -> Any:
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(f"a list is expected, not {_name(values)}")
        return [
            item if item is None or type(item) is as_it_is else convert(item) for item in values
        ]

    return write


def _dict_writer(rule: Rule) -> Convert:
    as_it_is, convert = rule

    def write(values: Any) -> Any:
        if type(values) is Exception:
            return _write_error(values)
        if not isinstance(values, Mapping):
            raise TypeError(f"a dict is expected, not {_name(values)}")
        return {
            _write_text(key): item if item is None or type(item) is as_it_is else convert(item)
            for key, item in values.items()
        }

    return write


def _write_nested(value: Any) -> Any:
    return _NESTED_WRITERS[type(value)](value)


def _nested_writer(kind: type) -> Convert:
    """How values of a Python type are written in a model's place."""
    # Their own class counts, as in msrest. Bots also put a dict there: it is written in full.
    if issubclass(kind, Model | dict) or kind in (str, int, float, bool):
        return _WRITERS[kind]
    return _refuse_nested


def _refuse_nested(value: Any) -> Any:
    raise TypeError(f"a model is expected, not {_name(value)}")


def _write_text(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return _write_enum(value)
    return write_value(value.value) if hasattr(value, "value") else str(value)


def _made_writer(kind: type, expected: str) -> Convert:
    def write(value: Any) -> Any:
        try:
            return kind(value)
        except (TypeError, ValueError, OverflowError):
            # Its own text quotes the value.
            raise TypeError(f"{expected} is expected, not {_name(value)}") from None

    return write


def _write_moment(value: Any) -> Any:
    """UTC as msrest writes it; a moment without a time zone counts as UTC."""
    try:
        if not isinstance(value, datetime.datetime):
            # It reads a text, and refuses all else.
            return Serializer.serialize_iso(value)  # type: ignore[no-untyped-call]  # no types
        utc = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"a date and time is expected, not this {_name(value)}") from None
    # Not strftime: its %Y writes the year 1, .NET's "no date", without its zeros.
    text = utc.isoformat(timespec="microseconds")
    return f"{text[:23]}{text[23:].rstrip('0')}Z"


def _write_bytes(value: Any) -> str:
    return base64.b64encode(value).decode()


_BASIC_WRITERS: dict[str, Rule] = {
    "str": (str, _write_text),
    "bool": (bool, _made_writer(bool, "true or false")),
    "int": (int, _made_writer(int, "a whole number")),
    "long": (int, _made_writer(int, "a whole number")),
    "float": (float, _made_writer(float, "a number")),
    "iso-8601": (None, _write_moment),
    "bytearray": (None, _write_bytes),
    "object": (str, write_value),
}


# Writing whatever it is


def _writer(kind: type) -> Convert:
    """How values of one Python type are written."""
    if issubclass(kind, Model):
        return _model_writer(kind)
    if issubclass(kind, enum.Enum):
        return _write_enum
    if kind is Exception:
        return _write_error
    return next((_FORMS[base] for base in kind.__mro__ if base in _FORMS), _refuse)


def _write_dict(values: Any) -> dict[Any, Any]:
    return {
        key if type(key) is str else _write_text(key): (
            item if type(item) is str else write_value(item)
        )
        for key, item in values.items()
    }


def _write_list(values: Any) -> list[Any]:
    return [item if type(item) is str else write_value(item) for item in values]


def _write_enum(value: Any) -> Any:
    plain = value._value_  # in a third of the time that `value` takes
    return plain if type(plain) is str else write_value(plain)


def _write_error(error: Any) -> Any:
    # So the SDK says what is wrong with a card's invoke, where the wire has an Error.
    if len(error.args) != 2:
        return _refuse(error)
    return {"code": str(error.args[0]), "message": str(error.args[1])}


def _write_itself(value: Any) -> Any:
    return value


def _refuse(value: Any) -> Any:
    raise TypeError(f"{_name(value)} has no JSON form")


def _name(value: Any) -> str:
    return type(value).__name__


_FORMS: dict[type, Convert] = {
    type(None): _write_itself,
    str: _write_itself,
    int: _write_itself,
    float: _write_itself,
    dict: _write_dict,
    list: _write_list,
    tuple: _write_list,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    datetime.datetime: _write_moment,
    datetime.date: datetime.date.isoformat,
    datetime.time: datetime.time.isoformat,
    datetime.timedelta: Serializer.serialize_duration,
    decimal.Decimal: float,
}
"""The JSON forms of what free JSON may hold, subclasses included."""

_READERS = _Converters(_model_reader)
_WRITERS = _Converters(_writer)
_NESTED_WRITERS = _Converters(_nested_writer)
