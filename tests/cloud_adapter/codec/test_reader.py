"""The reader converts simple types as msrest does, and refuses what does not fit the model."""

import datetime
from typing import Any

import pytest
from azure.core.exceptions import DeserializationError
from botbuilder.schema import Activity, ErrorResponse
from botbuilder.schema import Error as SdkError
from botframework.connector.token_api import models as token_api
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.codec import read_model, write_value
from cloud_adapter.errors import MalformedModel
from tests.support.model_json import (
    ANYTHING,
    MODELS,
    PROPERTIES,
    RANDOM,
    READ_DIFFERENTLY,
    UNREADABLE,
    full_json,
    kinds,
    msrest_read,
)

BASIC_PROPERTIES = {
    kind: (model, name)
    for model, name, kind in PROPERTIES
    if kind in ("str", "bool", "int", "long", "float", "iso-8601", "bytearray")
}
"""A model and an attribute of it for each type that holds one value."""

OTHER_VALUES = (
    ANYTHING
    | st.sampled_from(["true", "FALSE", "1", "0", "", " 7 ", "1_000", "1e3", "nan", 1.0, 2**70])
    | st.from_regex(r"\A2026-0[12]-(01|30)[Tt ]\d\d:00(:00)?([.,]\d*)?([Zz]|[+-]\d\d(:?30)?)?\Z")
)
"""JSON in place of another type."""


@settings(RANDOM, max_examples=1000)
@given(st.sampled_from(sorted(BASIC_PROPERTIES)), OTHER_VALUES)
def test_other_simple_types_are_converted_as_by_msrest(kind: str, given: Any) -> None:
    """Where msrest converts, the codec does the same; where msrest refuses, it refuses."""
    model, name = BASIC_PROPERTIES[kind]
    data = {model._attribute_map[name]["key"]: given}
    try:
        theirs = getattr(msrest_read(model, data), name)
    except DeserializationError:
        # The codec accepts more of ISO 8601: a date alone, hours alone, a space in place of T.
        if kind != "iso-8601":
            with pytest.raises(MalformedModel):
                read_model(model, data)
        return
    if kind == "str" and isinstance(given, list | dict):
        return  # msrest takes its `str`; the codec refuses it, see below
    mine = getattr(read_model(model, data), name)
    if isinstance(theirs, datetime.datetime):
        assert (mine, mine.utcoffset()) == (theirs, theirs.utcoffset())
    else:
        assert repr(mine) == repr(theirs)


@pytest.mark.parametrize(
    ("model", "key", "type_"),
    [(ErrorResponse, "error", SdkError), (token_api.ErrorResponse, "error", token_api.Error)],
)
def test_a_type_means_the_class_of_the_same_module(model: Any, key: str, type_: Any) -> None:
    """Two modules of the SDK have classes of the same name."""
    assert type(getattr(read_model(model, {key: {"code": "x"}}), key)) is type_


@pytest.mark.parametrize("model", READ_DIFFERENTLY)
def test_models_that_msrest_reads_differently(model: Any) -> None:
    """They are read with all their properties, and written again in full."""
    data = full_json(model)
    instance = read_model(model, data)
    assert type(instance) is model
    assert instance.additional_properties == {}
    assert write_value(instance).keys() == data.keys()


@pytest.mark.parametrize("model", UNREADABLE)
def test_a_broken_model_raises(model: Any) -> None:
    """Where the SDK's own definition is broken, reading raises and loses no data."""
    with pytest.raises(TypeError):
        read_model(model, {})


@pytest.mark.parametrize("model", [model for model in MODELS if model not in UNREADABLE])
def test_instances_share_nothing(model: Any) -> None:
    """No two instances share a default."""
    first, second = read_model(model, {}), read_model(model, {})
    assert vars(first).keys() >= {"additional_properties"}
    for name, value in vars(first).items():
        if isinstance(value, list | dict) or hasattr(value, "_attribute_map"):
            assert value is not vars(second)[name], name


@pytest.mark.parametrize("data", [None, [], "text", 1, True, [{}]])
def test_a_model_is_an_object(data: Any) -> None:
    """Any other JSON in place of a model is refused."""
    with pytest.raises(MalformedModel):
        read_model(Activity, data)


@pytest.mark.parametrize(
    ("model", "key", "wrong"),
    [
        ("Activity", "text", {}),
        ("Activity", "text", ["x"]),
        ("Activity", "from", []),
        ("Activity", "from", "Ada"),
        ("Activity", "from", 0),
        ("Activity", "from", False),
        ("Activity", "membersAdded", {}),
        ("Activity", "membersAdded", "x"),
        ("Activity", "membersAdded", [1]),
        ("Activity", "entities", [["x"]]),
        ("Activity", "listenFor", [{}]),
        ("Activity", "historyDisclosed", "yes"),
        ("Activity", "historyDisclosed", {}),
        ("Activity", "historyDisclosed", 2),
        ("Activity", "timestamp", 1767261600),
        ("Activity", "timestamp", "yesterday"),
        ("Activity", "timestamp", f"2026-01-01T10:00:00.{'1' * 100}Z"),
        ("Activity", "timestamp", "\u00e9" * 100_000),
        ("ConversationAccount", "isGroup", "\u00e9" * 100_000),
        ("Activity", "timestamp", "2026-13-01T10:00:00Z"),
        ("Activity", "timestamp", "0001-01-01T00:00:00+05:00"),
        ("Activity", "timestamp", "9999-12-31T23:59:59-05:00"),
        ("Activity", "timestamp", {}),
        ("TextHighlight", "occurrence", "many"),
        ("TextHighlight", "occurrence", {}),
        ("TextHighlight", "occurrence", float("inf")),
        ("SemanticAction", "entities", []),
        ("SemanticAction", "entities", {"city": "x"}),
        ("GeoCoordinates", "elevation", "high"),
        ("GeoCoordinates", "elevation", []),
        ("GeoCoordinates", "elevation", 10**400),
        ("AttachmentData", "originalBase64", "\u00e9"),
        ("AttachmentData", "originalBase64", "a"),
        ("AttachmentData", "originalBase64", 5),
    ],
)
def test_another_json_type_is_refused(model: str, key: str, wrong: Any) -> None:
    """What does not fit the property's type raises MalformedModel, and nothing else."""
    found = next(each for each in MODELS if each.__name__ == model)
    with pytest.raises(MalformedModel):
        read_model(found, {key: wrong})


@settings(RANDOM, max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(kinds(Activity))), ANYTHING, max_size=4))
def test_random_json_is_read_or_malformed(body: dict[str, Any]) -> None:
    """Whatever an activity's properties hold, the result is an Activity or MalformedModel."""
    try:
        activity = read_model(Activity, body)
    except MalformedModel:
        return
    assert type(activity) is Activity


def test_an_empty_string_in_place_of_a_model() -> None:
    """Some channels send an empty string in place of null."""
    assert read_model(Activity, {"from": "", "recipient": ""}) == Activity()


def test_null() -> None:
    """A null property is as good as a missing one; null items of lists stay."""
    assert read_model(Activity, {"text": None, "from": None}) == Activity()
    assert read_model(Activity, {"membersAdded": [None]}).members_added == [None]


def test_free_form_json_may_nest_deeply() -> None:
    """It is not read at all."""
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    assert read_model(Activity, {"value": deep}).value is deep
