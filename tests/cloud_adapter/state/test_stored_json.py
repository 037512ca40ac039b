"""Stored JSON: what is written is read again, and what would not be is refused, with its path."""

import enum
import math
import re
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state import stored_state
from cloud_adapter.state.stored_state import from_text, to_text

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
        ({"a": [{"b": Pair(1, 2)}]}, r"state.a\[\]{} is a Pair"),
        ({"a": object()}, "state.a is a object"),
        ({"a": print}, "state.a is a builtin_function_or_method"),
        ({"a": [[ValueError("x")]]}, r"state.a\[\]\[\] is a ValueError"),
        ({"a": enum.Enum("Color", "RED").RED}, "state.a is a Color"),  # type: ignore[attr-defined]
        ({"a": {str: "x"}}, "state.a{} is a type"),
    ],
)
def test_values_that_state_cannot_hold(item: dict[str, Any], path: str) -> None:
    """They are refused with their path, and what to do."""
    with pytest.raises(TypeError, match=f"^{path}, which state cannot hold: store its "):
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
    [
        "",
        "[]",
        '["typed",{}]',
        '["~typed"]',
        "null",
        "1",
        '"x"',
        "{",
        "<html>",
        '{"a":1}}',
        "\ufeff{}",
        b"\xff",
    ],
)
def test_texts_that_are_not_state(text: str | bytes) -> None:
    """Anything but one JSON object is refused."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        from_text(text)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000])
def test_texts_that_nest_too_deeply(text: str) -> None:
    """They are refused, and do not end the process."""
    with pytest.raises(UnreadableState, match="nests too deeply"):
        from_text(text)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "9" * 5000])
def test_texts_with_numbers_that_are_not_written(number: str) -> None:
    """They are refused with their path, in plain and in typed items."""
    with pytest.raises(ValueError, match=r"^state\.a{}\[\] is "):
        from_text(f'{{"a":{{"b":[{number}]}}}}')
    with pytest.raises(UnreadableState, match=r"^state\.a{}\[\] is "):
        from_text(f'["~typed",{{"a":{{"b":[{number}]}}}}]')


def test_no_object_is_created() -> None:
    """What looks like a pickled object is read as the dict that it is."""
    item = {"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, ["x"]]}
    assert from_text(to_text(item)) == item
    assert type(from_text(to_text(item))) is dict


def test_nothing_is_pickled() -> None:
    """No file of state imports a pickler. (The SDK brings jsonpickle.)"""
    files = [*Path(stored_state.__file__).parent.rglob("*.py")]
    assert files
    for file in files:
        assert not re.search(r"pickle|marshal|shelve|copyreg", file.read_text().split('"""')[-1])
