"""Writes botbuilder's models, the Activity above all, as JSON.

The counterpart of reader.py: a writer for each class is compiled once, from its `_attribute_map`.
Free-form values in a model may contain enums, tuples, bytes and models.
"""

import base64
import datetime
import decimal
import enum
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from msrest.exceptions import DeserializationError  # type: ignore[attr-defined]  # re-exported
from msrest.serialization import Deserializer, Model, Serializer

from cloud_adapter.codec.attribute_map import (
    Convert,
    Converters,
    Rule,
    attributes,
    named_classes,
    unsupported_feature,
    warn_of_msrest,
)

_MINUTE = datetime.timedelta(minutes=1)


def write_value(value: object) -> Any:
    """JSON-ready data for a model, or for a value that contains models, without None properties.

    Raises:
        TypeError: a value has no JSON form, or another type than its property. The text names the
            property, and does not quote the value.
    """
    return _WRITERS[type(value)](value)


def _model_writer(model: Any) -> Convert:
    """Compile the writer of one model class."""
    reason = unsupported_feature(model)
    if reason:
        return _msrest_writer(model, reason)
    properties = [(name, key, *_write_rule(kind)) for name, key, kind in attributes(model)]

    def write(instance: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        value_of = instance.__dict__.get
        try:
            for name, key, plain, convert in properties:
                value = value_of(name)
                if value is not None:
                    written[key] = value if type(value) is plain else convert(value)
        except TypeError as error:
            raise TypeError(f"{model.__name__}.{name}: {error}") from error
        unknown = value_of("additional_properties")
        if unknown:
            for key, value in _write_dict(unknown).items():
                written.setdefault(key, value)
        return written

    return write


def _msrest_writer(model: Any, reason: str) -> Convert:
    warn_of_msrest(model, reason)
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
def _write_rule(kind: str) -> Rule:
    """How properties of an msrest type are written."""
    if kind.startswith("["):
        return None, _list_writer(_write_rule(kind[1:-1]))
    if kind.startswith("{"):
        return None, _dict_writer(_write_rule(kind[1:-1]))
    return _BASIC_WRITERS.get(kind) or (None, _write_nested)


def _list_writer(rule: Rule) -> Convert:
    plain, convert = rule

    def write(values: Any) -> Any:
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(f"a list is expected, not {_type_name(values)}")
        return [item if item is None or type(item) is plain else convert(item) for item in values]

    return write


def _dict_writer(rule: Rule) -> Convert:
    plain, convert = rule

    def write(values: Any) -> Any:
        if type(values) is Exception:
            return _write_error(values)
        if not isinstance(values, Mapping):
            raise TypeError(f"a dict is expected, not {_type_name(values)}")
        return {
            _write_str(key): item if item is None or type(item) is plain else convert(item)
            for key, item in values.items()
        }

    return write


def _write_nested(value: Any) -> Any:
    return _NESTED_WRITERS[type(value)](value)


def _nested_writer(kind: type) -> Convert:
    """How values of a Python type are written where a model is expected."""
    # By the value's own class, as in msrest. Bots also pass dicts, which are written in full.
    if issubclass(kind, Model | dict) or kind in (str, int, float, bool):
        return _WRITERS[kind]
    return _refuse_nested


def _refuse_nested(value: Any) -> Any:
    raise TypeError(f"a model is expected, not {_type_name(value)}")


def _write_str(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return _write_enum(value)
    return write_value(value.value) if hasattr(value, "value") else str(value)


def _number_writer(kind: type, expected: str) -> Convert:
    def write(value: Any) -> Any:
        try:
            return kind(value)
        except (TypeError, ValueError, OverflowError):
            # Python's own error text quotes the value.
            raise TypeError(f"{expected} is expected, not {_type_name(value)}") from None

    return write


def _write_datetime(value: Any) -> str:
    """The time with its offset, as .NET writes it; without a time zone it counts as UTC.

    msrest writes UTC, so that a `localTimestamp` that is passed on would no longer be local.
    """
    try:
        if not isinstance(value, datetime.datetime):
            # msrest parses a string, and refuses anything else.
            value = Deserializer.deserialize_iso(value)  # type: ignore[no-untyped-call]  # no types
        offset = value.utcoffset()
        if offset and offset % _MINUTE:  # JSON's dates have no seconds there (RFC 3339, 5.6)
            value, offset = value.astimezone(datetime.UTC), None
    except (TypeError, ValueError, OverflowError, AttributeError, DeserializationError):
        raise TypeError(f"a date and time is expected, not this {_type_name(value)}") from None
    # Not strftime: its %Y does not zero-pad the year 1, which .NET sends for "no date".
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds")
    zone = value.isoformat()[-len("+00:00") :] if offset else "Z"
    return f"{text[:23]}{text[23:].rstrip('0')}{zone}"


def _write_bytes(value: Any) -> str:
    return base64.b64encode(value).decode()


_BASIC_WRITERS: dict[str, Rule] = {
    "str": (str, _write_str),
    "bool": (bool, _number_writer(bool, "true or false")),
    "int": (int, _number_writer(int, "a whole number")),
    "long": (int, _number_writer(int, "a whole number")),
    "float": (float, _number_writer(float, "a number")),
    "iso-8601": (None, _write_datetime),
    "bytearray": (None, _write_bytes),
    "object": (str, write_value),
}


def _writer(kind: type) -> Convert:
    """How values of a Python type are written."""
    if issubclass(kind, Model):
        return _model_writer(kind)
    if issubclass(kind, enum.Enum):
        return _write_enum
    if kind is Exception:
        return _write_error
    return next((_FORMS[base] for base in kind.__mro__ if base in _FORMS), _refuse)


def _write_dict(values: Any) -> dict[Any, Any]:
    return {
        key if type(key) is str else _write_str(key): (
            item if type(item) is str else write_value(item)
        )
        for key, item in values.items()
    }


def _write_list(values: Any) -> list[Any]:
    return [item if type(item) is str else write_value(item) for item in values]


def _write_enum(value: Any) -> Any:
    member = value._value_  # takes a third of the time of `value.value`
    return member if type(member) is str else write_value(member)


def _write_error(error: Any) -> Any:
    # The SDK represents an invoke's Error as an exception with a code and a message.
    if len(error.args) != 2:
        return _refuse(error)
    return {"code": str(error.args[0]), "message": str(error.args[1])}


def _unchanged(value: Any) -> Any:
    return value


def _refuse(value: Any) -> Any:
    raise TypeError(f"{_type_name(value)} has no JSON form")


def _type_name(value: Any) -> str:
    return type(value).__name__


_FORMS: dict[type, Convert] = {
    type(None): _unchanged,
    str: _unchanged,
    int: _unchanged,
    float: _unchanged,
    dict: _write_dict,
    list: _write_list,
    tuple: _write_list,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    datetime.datetime: _write_datetime,
    datetime.date: datetime.date.isoformat,
    datetime.time: datetime.time.isoformat,
    datetime.timedelta: Serializer.serialize_duration,
    decimal.Decimal: float,
}
"""The writers of the types that free-form values may have, subclasses included."""

_WRITERS = Converters(_writer)

_NESTED_WRITERS = Converters(_nested_writer)

# ASCII escapes could take three times as much memory as the characters themselves.
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def json_bytes(data: Any) -> bytes:
    """JSON-ready data, encoded as JSON in UTF-8. Lone surrogates, which UTF-8 lacks, are escaped.

    Raises:
        ValueError: a number has no JSON form (NaN, infinity).
        TypeError: another value is not JSON-ready.
    """
    # `backslashreplace` writes a lone surrogate as JSON's escape: \ud83d.
    return _ENCODER.encode(data).encode(errors="backslashreplace")
