"""Free-form JSON: what a bot may put into `value`, `channelData` and cards, and its bytes."""

import datetime
import decimal
import json
from types import MappingProxyType
from typing import Any

import pytest
from azure.core.exceptions import SerializationError
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.codec import json_bytes, read_model, write_value
from tests.support.model_json import NAIVE, RANDOM, SCALARS, Level, Shade, Title, msrest_written


@pytest.mark.parametrize(
    ("sent", "theirs", "mine"),
    [
        pytest.param(
            Activity(value=Shade.DARK), {"value": "Shade.DARK"}, {"value": "dark"}, id="enum"
        ),
        pytest.param(Activity(value=(1, 2)), {"value": "(1, 2)"}, {"value": [1, 2]}, id="tuple"),
        pytest.param(Activity(value=b"a"), {"value": "b'a'"}, {"value": "YQ=="}, id="bytes"),
        pytest.param(
            Activity(value=datetime.time(1, 2, 3, 500)),
            {"value": "01:02:03.500"},  # half a second, that is
            {"value": "01:02:03.000500"},
            id="time",
        ),
        pytest.param(
            Activity(value=MappingProxyType({"a": 1})), {"value": "{'a': 1}"}, None, id="mapping"
        ),
        pytest.param(Activity(value={1}), {"value": "{1}"}, None, id="set"),
        pytest.param(
            Activity(entities=Shade.DARK), {"entities": "dark"}, None, id="enum in place of a list"
        ),
        pytest.param(
            Activity(entities=[{"type": "mention"}]),
            None,
            {"entities": [{"type": "mention"}]},
            id="dict in place of a model",
        ),
        pytest.param(
            read_model(Activity, {"entities": [{"type": "a", "text": "b"}], "later": 1}),
            {"entities": [{"type": "a"}]},
            {"entities": [{"type": "a", "text": "b"}], "later": 1},
            id="unknown properties",
        ),
    ],
)
def test_values_that_msrest_garbles(sent: Any, theirs: Any, mine: Any) -> None:
    """Where msrest loses or garbles a value, the codec writes it, or refuses it (None)."""
    if theirs is None:
        with pytest.raises(SerializationError):
            msrest_written(sent)
    else:
        assert msrest_written(sent) == theirs
    if mine is None:
        with pytest.raises(TypeError, match=r"^Activity\."):
            write_value(sent)
    else:
        assert write_value(sent) == mine


@settings(RANDOM, max_examples=300)
@given(
    st.recursive(
        SCALARS
        | st.sampled_from([NAIVE, NAIVE.date(), datetime.timedelta(1.5), decimal.Decimal("1.50")])
        | st.sampled_from([ChannelAccount(id="1"), Activity(type=ActivityTypes.event, name="x")]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=4) | st.just(Level.HIGH), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_free_form_json_is_written_as_by_msrest(value: Any) -> None:
    """Random JSON, with models and dates in it."""
    activity = Activity(channel_data=value)
    assert json.dumps(write_value(activity)) == json.dumps(msrest_written(activity))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (Shade.DARK, "dark"),
        (Level.HIGH, 2),
        (Title("x"), "x"),
        ((1, [Shade.DARK], {"a": (None,)}), [1, ["dark"], {"a": [None]}]),
        ({1: "x", Title("y"): ChannelAccount(id="1")}, {"1": "x", "y": {"id": "1"}}),
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(minutes=90), "PT1H30M"),
        (decimal.Decimal("1.50"), 1.5),
        (NAIVE, "2026-01-02T03:04:05.000Z"),
        (
            datetime.datetime(2026, 1, 2, 3, 4, 5, 120, tzinfo=datetime.UTC),
            "2026-01-02T03:04:05.00012Z",
        ),
        (datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), "0001-01-01T00:00:00.000Z"),
        (
            datetime.datetime(
                2026, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))
            ),
            "2026-01-02T03:04:00.000+05:30",
        ),
    ],
)
def test_values_with_a_json_form(value: Any, written: Any) -> None:
    """Enums, tuples, dates, bytes, and models in them become JSON data."""
    assert write_value(value) == written
    assert json.loads(json.dumps(write_value(value))) == written


@pytest.mark.parametrize("value", [object(), {1}, Exception("x"), [ValueError("x")], 1j])
def test_values_without_a_json_form(value: Any) -> None:
    """They are refused, not guessed at."""
    with pytest.raises(TypeError, match="no JSON form"):
        write_value(Activity(value=value))


# Bytes

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # With lone surrogates.
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"text": "h\u00e9llo \U0001f600"}, '{"text":"h\u00e9llo \U0001f600"}'.encode()),
        (["\ud83d", "a\udc00b", "\\ud83d"], rb'["\ud83d","a\udc00b","\\ud83d"]'),
        ({"\ud83d": '"\n'}, rb'{"\ud83d":"\"\n"}'),
        ([1, 1.5, None, True], b"[1,1.5,null,true]"),
    ],
)
def test_bytes(data: Any, sent: bytes) -> None:
    """UTF-8 with its characters unescaped, but for lone surrogates."""
    assert json_bytes(data) == sent


@settings(RANDOM, max_examples=300)
@given(JSON)
def test_bytes_of_random_json(data: Any) -> None:
    """They are UTF-8, and parse to the same value as the standard library's JSON."""
    assert json.loads(json_bytes(data).decode()) == json.loads(json.dumps(data))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_bytes_of_numbers_without_a_json_form(number: float) -> None:
    """NaN and infinity are refused."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes({"x": number})
