"""What the bot sends is UTF-8, whatever its texts contain."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.codec.writer import json_bytes

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates, too.
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
def test_what_is_sent(data: Any, sent: bytes) -> None:
    """Characters are sent as they are, a lone surrogate as its escape."""
    assert json_bytes(data) == sent


@settings(deadline=None, database=None, max_examples=300)
@given(JSON)
def test_anything(data: Any) -> None:
    """The JSON is UTF-8, and parses to the same value as the standard library's."""
    assert json.loads(json_bytes(data).decode()) == json.loads(json.dumps(data))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know(number: float) -> None:
    """NaN and infinity are refused."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes({"x": number})
