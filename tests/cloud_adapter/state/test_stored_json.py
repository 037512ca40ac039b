"""Stored JSON: what is written is read again, and what would not be is refused, with its path."""

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
"""Half a surrogate pair and NUL included."""

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
    """Whether both are equal, and of the same types."""
    return repr(one) == repr(other)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_json_values_are_read_as_written(item: dict[str, Any]) -> None:
    """Values with a JSON form are read equal, and with the same types; the text is ASCII."""
    text = to_text(item)
    assert text.isascii()
    assert alike(from_text(text), item)
    assert alike(from_text(text.encode()), item)


Pair = namedtuple("Pair", "one other")


@pytest.mark.parametrize(
    ("item", "path"),
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
        ({"a": {1: "x"}}, "state.a has a key of the type int"),
        ({"a": {None: "x"}}, "state.a has a key of the type NoneType"),
        ({1: "x"}, "state has a key of the type int"),
        ({"a": {("b",): "x"}}, "state.a has a key of the type tuple"),
    ],
)
def test_values_without_a_json_form(item: dict[str, Any], path: str) -> None:
    """What would be read as something else, or not at all, is refused with its path."""
    with pytest.raises(TypeError, match=f"^{path}, which has no JSON form"):
        to_text(item)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity(number: float) -> None:
    """Python's json would write them, but they are refused with their path."""
    with pytest.raises(ValueError, match=r"^state\.a\[\]{} is .*, which has no JSON form"):
        to_text({"a": [1, {"b": number}]})


def test_a_reference_cycle() -> None:
    """A state that contains itself is refused; the same value in two places is not a cycle."""
    item: dict[str, Any] = {"a": {"b": []}}
    twice = ["x"]
    assert from_text(to_text({"one": twice, "two": twice})) == {"one": ["x"], "two": ["x"]}
    item["a"]["b"].append(item["a"])
    with pytest.raises(ValueError, match=r"^state\.a{}\[\] contains itself"):
        to_text(item)


def test_deep_nesting() -> None:
    """It is refused, because it could not be read again."""
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nests"):
        to_text({"a": deep})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "1", '"x"', "{", "<html>", '{"a":1}}', "\ufeff{}", "[" * 200_000, b"\xff"],
)
def test_texts_that_are_not_state(text: str | bytes) -> None:
    """Anything but one JSON object is refused."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        from_text(text)


def test_no_object_is_created() -> None:
    """What looks like a pickled object is read as the dict that it is."""
    item = {"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, ["x"]]}
    assert from_text(to_text(item)) == item
    assert type(from_text(to_text(item))) is dict


def test_nothing_is_pickled() -> None:
    """The module imports no pickler. (The SDK brings jsonpickle.)"""
    module = "cloud_adapter.state.stored_json"
    code = f"import sys, {module}; print([n for n in sys.modules if 'pickle' in n])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert found.stdout.strip() == b"[]"
