"""Random JSON that fits botbuilder's models, and msrest's own reading and writing of it."""

import base64
import datetime
import enum
from typing import Any

from botbuilder import schema
from botbuilder.schema import teams
from botframework.connector.token_api import models as token_api
from hypothesis import strategies as st
from msrest.serialization import Deserializer, Model, Serializer

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


def msrest_read(model: Any, data: Any) -> Any:
    """What msrest makes of parsed JSON."""
    return Deserializer(CLASSES)(model, data)  # type: ignore[no-untyped-call]  # no types


def msrest_written(instance: Any) -> Any:
    """The JSON that msrest makes of a model."""
    serializer = Serializer(CLASSES)  # type: ignore[no-untyped-call]  # no types
    return serializer._serialize(instance)  # type: ignore[no-untyped-call]  # no types


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


def _json_for(kind: str) -> st.SearchStrategy[Any]:
    """JSON for one msrest type, with nulls wherever they may stand."""
    if kind.startswith("["):
        return st.lists(st.none() | _json_for(kind[1:-1]), max_size=3)
    if kind.startswith("{"):
        items = st.none() | _json_for(kind[1:-1])
        return st.dictionaries(st.text(max_size=4), items, max_size=3)
    return _BASIC[kind] if kind in _BASIC else model_json(CLASSES[kind])


@st.composite
def model_json(draw: st.DrawFn, model: Any) -> dict[str, Any]:
    """JSON for a model: some of its properties, null some of them."""
    kinds = {entry["key"]: entry["type"] for entry in model._attribute_map.values()}
    known = st.sampled_from(sorted(kinds)) if kinds else st.nothing()
    keys = draw(st.lists(known, max_size=5, unique=True))
    return {key: draw(st.none() | _json_for(kinds[key])) for key in keys}
