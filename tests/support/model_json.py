"""ModelJson: JSON that fits botbuilder's models, drawn at random, and msrest to compare with."""

import base64
import datetime
import enum
from typing import Any

from botbuilder import schema
from botbuilder.schema import teams
from botframework.connector.token_api import models as token_api
from hypothesis import strategies as st
from msrest.serialization import Deserializer, Model, Serializer

MODULES = (schema, teams, token_api)

CLASSES: dict[str, Any] = {}
"""Every model and enum by its name; the first module's, where two modules have one."""
MODELS: list[Any] = []
"""Every model class."""
for module in MODULES:
    for name, found in vars(module).items():
        if isinstance(found, type) and issubclass(found, Model | enum.Enum):
            CLASSES.setdefault(name, found)
            if issubclass(found, Model) and found is not Model and found not in MODELS:
                MODELS.append(found)


def msrest_read(model: Any, data: Any) -> Any:
    """What msrest makes of parsed JSON."""
    return Deserializer(CLASSES)(model, data)


def msrest_written(instance: Any) -> Any:
    """The JSON that msrest makes of a model."""
    return Serializer(CLASSES)._serialize(instance)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # msrest takes the empty string for "nothing" in places; the codec's own test covers it.
    | st.text(min_size=1, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)

_OFFSETS = st.sampled_from(["Z", "z", "", "+00:00", "+05:30", "-08:00", "+0530", "-05"])


@st.composite
def moments(draw: st.DrawFn) -> str:
    """A date and time as channels write them: up to seven digits, with or without an offset."""
    day = draw(st.datetimes(datetime.datetime(1, 1, 3), datetime.datetime(9999, 12, 29)))
    digits = draw(st.text("0123456789", max_size=7))
    fraction = f".{digits}" if digits else ""
    return f"{day.isoformat(timespec='seconds')}{fraction}{draw(_OFFSETS)}"


BASIC: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=8),
    "bool": st.booleans(),
    "int": st.integers(),
    "long": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    "iso-8601": moments(),
    "bytearray": st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode()),
    "object": ANYTHING,
}


def json_for(kind: str) -> st.SearchStrategy[Any]:
    """JSON for one msrest type; null too, wherever it may stand."""
    if kind.startswith("["):
        return st.lists(st.none() | json_for(kind[1:-1]), max_size=3)
    if kind.startswith("{"):
        return st.dictionaries(st.text(max_size=4), st.none() | json_for(kind[1:-1]), max_size=3)
    return BASIC[kind] if kind in BASIC else st.deferred(lambda: model_json(CLASSES[kind]))


@st.composite
def model_json(draw: st.DrawFn, model: Any) -> dict[str, Any]:
    """JSON for a model, with some of its properties."""
    kinds = {entry["key"]: entry["type"] for entry in model._attribute_map.values()}
    keys = draw(st.lists(st.sampled_from(sorted(kinds)), max_size=4, unique=True)) if kinds else []
    return {key: draw(st.none() | json_for(kinds[key])) for key in keys}
