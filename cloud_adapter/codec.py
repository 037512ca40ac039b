"""Reads and writes botbuilder's models, the Activity above all, within a limit of memory.

A converter for each class is compiled once, from its `_attribute_map`: for each Python attribute
the JSON key and the type, in msrest's own notation, such as `str`, `iso-8601`, `[ChannelAccount]`
or `{object}`. It does what msrest does, but keeps properties that the model does not name: they go
to `additional_properties`, so that entities (mentions, citations, streaming) survive. Classes with
features that the codec does not support are left to msrest, with a warning.

JSON that is small on the wire can be large in memory: `{},` becomes a model of half a kilobyte, and
one emoji makes every character of a text take four bytes. So the cost of a body is estimated before
it is parsed. The sizes below are measured and rounded up. The limits are those for requests, chosen
so that no accepted body costs more than 8 MB, including its own bytes and the copies that a turn
makes of its text; cloud_adapter/connector/client.py has those for responses.

The limits accept what real channels send: activities have at most 100 KB in Teams and 256 KB on
Direct Line (Microsoft references "Format your bot messages" and "Send an activity to the bot").
Even with an emoji, a Teams activity of that size may contain 2,000 values in 500 objects, and a
Direct Line activity 400 values in 100 objects.
"""

import base64
import datetime
import decimal
import enum
import functools
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from types import ModuleType
from typing import Any

import botbuilder.schema
import botbuilder.schema.teams
import botframework.connector.token_api.models
from msrest.exceptions import DeserializationError  # type: ignore[attr-defined]  # re-exported
from msrest.serialization import Deserializer, Model, Serializer

from auth.errors import BodyTooLarge
from cloud_adapter.errors import MalformedModel

log = logging.getLogger(__name__)

MAX_COST_BYTES = 7_500_000
"""The most memory that a request's body may take."""

TEXT_COPIES = 7
"""The number of copies of the body's text that are in memory at the same time: as received, parsed,
without the mention, in the reply, in its JSON, in the request to the connector, and encrypted."""

MAX_DEPTH = 100
"""The number of levels to which objects and lists may be nested. Adaptive Cards have about 30."""


def check_cost(
    body: bytes, text: str, max_bytes: int = MAX_COST_BYTES, text_copies: int = TEXT_COPIES
) -> None:
    """Check how much memory a body takes, in time proportional to its size.

    Args:
        body: as received.
        text: the body, decoded.
        max_bytes: the most memory that it may take.
        text_copies: the number of copies of its text that are in memory at the same time.

    Raises:
        BodyTooLarge: parsing the body would take too much memory, or recurse too deeply.
    """
    text_bytes, containers = text_copies * _memory_of(text), _containers(body)
    if text_bytes + _structure_bytes(body, containers) > max_bytes or containers > MAX_DEPTH:
        # Brackets and commas inside strings do not count: estimate again without them.
        structure = without_strings(body)
        if text_bytes + _structure_bytes(structure, _containers(structure)) > max_bytes:
            raise BodyTooLarge("the body has too many values or too much text")
        if _depth(structure) > MAX_DEPTH:
            raise BodyTooLarge(f"the body is nested more than {MAX_DEPTH} levels deep")


_SURROGATE = re.compile(r"\\u[dD][89abAB]")

_BEYOND_LATIN_1 = re.compile(r"\\u(?!00)")


def _memory_of(text: str) -> int:
    """The maximum size in bytes of a text once its escapes are replaced by their characters."""
    if "\\u" not in text:
        return sys.getsizeof(text)
    # Python stores each character of a text in the width of the widest one (PEP 393).
    width = 4 if _SURROGATE.search(text) else 2 if _BEYOND_LATIN_1.search(text) else 1
    return max(sys.getsizeof(text), width * len(text))


CONTAINER_BYTES = 600
"""The maximum size of an object or a list; the largest model in lists is an Attachment."""

VALUE_BYTES = 100
"""The maximum size, besides its text, of a value in a list, or of a name or value in an object."""


def _structure_bytes(json: bytes, containers: int) -> int:
    values = json.count(b",") + json.count(b":")
    return CONTAINER_BYTES * containers + VALUE_BYTES * values


def _containers(json: bytes) -> int:
    return json.count(b"{") + json.count(b"[")


WINDOW_BYTES = 16 * 1024
"""The bytes of a body that are split at its quotes at a time: all pieces could take megabytes."""


def without_strings(body: bytes, window_bytes: int = WINDOW_BYTES) -> bytes:
    """A JSON text without its strings.

    Args:
        body: the JSON text.
        window_bytes: how many bytes are split at a time.
    """
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    outside, inside = bytearray(), False
    for start in range(0, len(plain), window_bytes):
        pieces = plain[start : start + window_bytes].split(b'"')
        outside += b"".join(pieces[inside::2])
        inside ^= len(pieces) % 2 == 0  # an odd number of quotes
    return bytes(outside)


_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}

_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def _depth(structure: bytes) -> int:
    brackets = structure.translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


MAX_DIGITS = 1000
"""The number of digits that an integer may have: the time to read or write an integer grows with
the square of that number."""


def read_integer(text: str) -> int:
    """An integer, as a JSONDecoder's `parse_int`.

    Raises:
        ValueError: it has more than MAX_DIGITS.
    """
    if len(text) > MAX_DIGITS:
        raise ValueError("a number is too long")
    return int(text)


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
    """The rule by which a model's properties of a type (such as `[ChannelAccount]`) are read."""
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

# Longer strings are rejected before their case is changed, which can take twelve times their size.
MAX_BOOL_LENGTH = len("false")


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


MAX_DATETIME_LENGTH = 64
"""In characters; a date and time of RFC 3339 with nanoseconds has 35."""


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
    """The rule by which properties of an msrest type are written."""
    if kind.startswith("["):
        return None, _list_writer(_write_rule(kind[1:-1]))
    if kind.startswith("{"):
        return None, _dict_writer(_write_rule(kind[1:-1]))
    return _BASIC_WRITERS.get(kind) or (None, _write_nested)


def _list_writer(rule: Rule) -> Convert:
    plain, convert = rule

    def write(values: Any) -> Any:
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(f"a list is expected, not {type(values).__name__}")
        return [item if item is None or type(item) is plain else convert(item) for item in values]

    return write


def _dict_writer(rule: Rule) -> Convert:
    plain, convert = rule

    def write(values: Any) -> Any:
        if type(values) is Exception:
            return _write_error(values)
        if not isinstance(values, Mapping):
            raise TypeError(f"a dict is expected, not {type(values).__name__}")
        return {
            _write_str(key): item if item is None or type(item) is plain else convert(item)
            for key, item in values.items()
        }

    return write


def _write_nested(value: Any) -> Any:
    return _NESTED_WRITERS[type(value)](value)


def _nested_writer(kind: type) -> Convert:
    """The writer for values of a Python type where a model is expected."""
    # By the value's own class, as in msrest. Bots also pass dicts, which are written in full.
    if issubclass(kind, Model | dict) or kind in (str, int, float, bool):
        return _WRITERS[kind]
    return _refuse_nested


def _refuse_nested(value: Any) -> Any:
    raise TypeError(f"a model is expected, not {type(value).__name__}")


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
            raise TypeError(f"{expected} is expected, not {type(value).__name__}") from None

    return write


_MINUTE = datetime.timedelta(minutes=1)


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
        raise TypeError(f"a date and time is expected, not this {type(value).__name__}") from None
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
    """The writer for values of a Python type."""
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
    raise TypeError(f"{type(value).__name__} has no JSON form")


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
