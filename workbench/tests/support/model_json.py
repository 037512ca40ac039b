"""JSON that fits botbuilder's models, random or in full, and msrest's own reading and writing."""

import base64
import datetime
import enum
import re
import sys
from typing import Any

from botbuilder import schema
from botbuilder.schema import teams
from botframework.connector.token_api import models as token_api
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msrest.serialization import Deserializer, Model, Serializer

RANDOM = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
"""For tests of random models."""

CLASSES: dict[str, Any] = {}
"""Every model and enum by its name; the first module's, where two modules have one."""

MODELS: list[Any] = []
"""Every model class."""

for module in (schema, teams, token_api):
    for name, found in vars(module).items():
        if isinstance(found, type) and issubclass(found, Model | enum.Enum):
            CLASSES.setdefault(name, found)
            if issubclass(found, Model) and found is not Model and found not in MODELS:
                MODELS.append(found)


def classes(model: Any) -> dict[str, Any]:
    """The classes that a model's types name: its own module's, then the first that has the name."""
    return CLASSES | vars(sys.modules[model.__module__]) | {model.__name__: model}


def msrest_read(model: Any, data: Any) -> Any:
    """What msrest makes of parsed JSON."""
    return Deserializer(classes(model))(model, data)  # type: ignore[no-untyped-call]  # no types


def msrest_written(instance: Any) -> Any:
    """The JSON that msrest makes of a model."""
    serializer = Serializer(classes(type(instance)))  # type: ignore[no-untyped-call]  # no types
    return serializer._serialize(instance)  # type: ignore[no-untyped-call]  # no types


LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})[+-]\d\d:\d\d")


def in_utc(written: Any) -> Any:
    """Written JSON with its times in UTC, as msrest writes them; the codec keeps their offsets."""
    if isinstance(written, dict):
        return {key: in_utc(value) for key, value in written.items()}
    if isinstance(written, list):
        return [in_utc(value) for value in written]
    local = LOCAL_TIME.fullmatch(written) if isinstance(written, str) else None
    if local is None:
        return written
    utc = datetime.datetime.fromisoformat(written).astimezone(datetime.UTC)
    return f"{utc.replace(microsecond=0, tzinfo=None).isoformat()}{local[1]}Z"


def kinds(model: Any) -> dict[str, str]:
    """The msrest type of each property of a model, by its JSON key."""
    types = {entry["key"]: entry["type"] for entry in model._attribute_map.values()}
    return {key: getattr(kind, "__name__", kind) for key, kind in types.items()}


class Shade(str, enum.Enum):  # noqa: UP042  # the SDK's enums are of this kind
    """A string enum."""

    DARK = "dark"


NAIVE = datetime.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  # as bots forget it


class Title(str):
    """A subclass of a basic type."""

    __slots__ = ()


class Level(enum.Enum):
    """An enum."""

    HIGH = 2


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
"""Values that bots put into models, beside JSON's own."""

UNREADABLE = [teams.TaskModuleCardResponse]
"""Models that cannot be read: their constructor always raises."""

READ_DIFFERENTLY: dict[Any, str] = {
    teams.MessagingExtensionResponse: "a type that is a class, on which msrest raises",
    teams.MessagingExtensionActionResponse: "the same",
    teams.O365ConnectorCardActionQuery: "its constructor does not know its attribute",
    teams.MeetingParticipantsEventDetails: "the same",
    teams.TaskModuleContinueResponse: "its constructor names an attribute twice",
    teams.TaskModuleMessageResponse: "the same",
    teams.BotConfigAuth: "the class's defaults, which msrest overwrites with None",
    teams.OnBehalfOf: "the same",
    teams.TeamsChannelData: "it holds OnBehalfOf",
    teams.ConfigTaskResponse: "an empty list in place of the default",
    teams.ConfigAuthResponse: "the same",
}
"""Models whose definition msrest and the codec read in different ways, and why."""

COMPARED = [model for model in MODELS if model not in (*UNREADABLE, *READ_DIFFERENTLY)]
"""Models that the codec and msrest read and write alike."""

PROPERTIES = [
    (model, name, entry["type"])
    for model in COMPARED
    for name, entry in model._attribute_map.items()
    if "object" not in entry["type"]
]
"""Model, attribute and msrest type of every property of those, but for free-form JSON."""

_FLOATS = st.floats(allow_nan=False, allow_infinity=False)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | _FLOATS | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
"""Any JSON."""


# An offset must not carry them out of what datetime can say.
_FIRST = datetime.datetime(1, 1, 3)  # noqa: DTZ001  # the strategy's bounds are naive
_LAST = datetime.datetime(9999, 12, 29)  # noqa: DTZ001  # the same


@st.composite
def _moments(draw: st.DrawFn) -> str:
    """A date and time as channels write them: up to seven digits, with or without an offset."""
    day = draw(st.datetimes(_FIRST, _LAST))
    digits = draw(st.text("0123456789", max_size=7))
    offset = draw(st.sampled_from(["Z", "z", "", "+00:00", "+05:30", "-08:00", "+0530", "-05"]))
    return f"{day.isoformat(timespec='seconds')}{'.' if digits else ''}{digits}{offset}"


_BASIC: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=8),
    "bool": st.booleans(),
    "int": st.integers(),
    "long": st.integers(),
    "float": _FLOATS | st.integers(-9, 9),
    "iso-8601": _moments(),
    "bytearray": st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode()),
    "object": ANYTHING,
}


def _json_for(kind: str, owner: Any) -> st.SearchStrategy[Any]:
    """JSON for one msrest type, with nulls wherever they may stand."""
    if kind.startswith("["):
        return st.lists(st.none() | _json_for(kind[1:-1], owner), max_size=3)
    if kind.startswith("{"):
        items = st.none() | _json_for(kind[1:-1], owner)
        return st.dictionaries(st.text(max_size=4), items, max_size=3)
    return _BASIC[kind] if kind in _BASIC else model_json(classes(owner)[kind])


@st.composite
def model_json(draw: st.DrawFn, model: Any) -> dict[str, Any]:
    """JSON for a model: some of its properties, null some of them."""
    types = kinds(model)
    known = st.sampled_from(sorted(types)) if types else st.nothing()
    keys = draw(st.lists(known, max_size=5, unique=True))
    return {key: draw(st.none() | _json_for(types[key], model)) for key in keys}


_SAMPLES: dict[str, Any] = {
    "str": "text",
    "bool": True,
    "int": 7,
    "long": 2**40,
    "float": 1.5,
    "iso-8601": "2026-01-01T15:30:00.1234567+05:30",
    "bytearray": "YQ==",
    "object": {"any": [1, None, {"deep": "x"}]},
}


def full_json(model: Any, above: tuple[Any, ...] = ()) -> dict[str, Any]:
    """JSON for a model with every property that its class names.

    Args:
        model: the class.
        above: the classes that hold it; one that would hold itself is left empty.
    """
    if model in above:
        return {}
    within = (*above, model)
    return {key: _sample(kind, within) for key, kind in kinds(model).items()}


def _sample(kind: str, within: tuple[Any, ...]) -> Any:
    if kind.startswith("["):
        return [_sample(kind[1:-1], within), None]
    if kind.startswith("{"):
        return {"one": _sample(kind[1:-1], within), "none": None}
    return _SAMPLES[kind] if kind in _SAMPLES else full_json(classes(within[-1])[kind], within)
