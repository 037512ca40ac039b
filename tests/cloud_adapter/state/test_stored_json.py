"""Stored JSON: what goes in comes out, and what would not is refused, with its place."""

import enum
import math
import subprocess
import sys
from collections import namedtuple
from datetime import UTC, datetime
from typing import Any

import pytest
from botbuilder.schema import Activity
from hypothesis import given
from hypothesis import strategies as st

from cloud_adapter.state.stored_json import from_text, to_text

TEXTS = st.text(st.characters(codec=None))
"""Half an emoji and NUL included."""

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def alike(one: object, other: object) -> bool:
    """Equal, and of the same types."""
    return repr(one) == repr(other)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_json_holds_comes_back(item: dict[str, Any]) -> None:
    """Whatever JSON has a form for comes back equal, and of the same type; the text is ASCII."""
    text = to_text(item)
    assert text.isascii()
    assert alike(from_text(text), item)
    assert alike(from_text(text.encode()), item)


Pair = namedtuple("Pair", "one other")


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"a": (1, 2)}, "state.a is a tuple"),
        ({"a": [{"b": Pair(1, 2)}]}, r"state.a\[\]{} is a Pair"),
        ({"a": {1}}, "state.a is a set"),
        ({"a": b"x"}, "state.a is a bytes"),
        ({"a": {"b": datetime.now(UTC)}}, r"state.a{} is a datetime"),
        ({"a": [[Activity(type="message")]]}, r"state.a\[\]\[\] is a Activity"),
        ({"a": object()}, "state.a is a object"),
        ({"a": print}, "state.a is a builtin_function_or_method"),
        ({"a": enum.Enum("Color", "RED").RED}, "state.a is a Color"),  # type: ignore[attr-defined]
        ({"a": {1: "x"}}, "state.a has a key that is no text: int"),
        ({"a": {None: "x"}}, "state.a has a key that is no text: NoneType"),
        ({1: "x"}, "state has a key that is no text: int"),
        ({"a": {("b",): "x"}}, "state.a has a key that is no text: tuple"),
    ],
)
def test_what_json_has_no_form_for(item: dict[str, Any], place: str) -> None:
    """What would come back as something else, or not at all, is refused where it stands."""
    with pytest.raises(TypeError, match=f"^{place}"):
        to_text(item)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number(number: float) -> None:
    """NaN and infinity, which Python's json would write, are refused where they stand."""
    with pytest.raises(ValueError, match=r"^state\.a\[\]{} is "):
        to_text({"a": [1, {"b": number}]})


def test_what_holds_itself() -> None:
    """A circle is told as one; the same value twice is none."""
    item: dict[str, Any] = {"a": {"b": []}}
    twice = ["x"]
    assert from_text(to_text({"one": twice, "two": twice})) == {"one": ["x"], "two": ["x"]}
    item["a"]["b"].append(item["a"])
    with pytest.raises(ValueError, match=r"^state\.a{}\[\] holds itself"):
        to_text(item)


def test_what_nests_too_deeply() -> None:
    """It is refused, too: it could not be read again."""
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nests"):
        to_text({"a": deep})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "1", '"x"', "{", "<html>", '{"a":1}}', "\ufeff{}", "[" * 200_000, b"\xff"],
)
def test_what_is_no_state(text: str | bytes) -> None:
    """Anything but one JSON object is refused."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        from_text(text)


def test_no_class_is_named() -> None:
    """What looks like a pickled object is a dict with an odd key, and stays one."""
    item = {"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, ["x"]]}
    assert from_text(to_text(item)) == item
    assert type(from_text(to_text(item))) is dict


def test_nothing_is_pickled() -> None:
    """The module needs nothing that could make objects of a text. (The SDK brings jsonpickle.)"""
    module = "cloud_adapter.state.stored_json"
    code = f"import sys, {module}; print([n for n in sys.modules if 'pickle' in n])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert found.stdout.strip() == b"[]"
