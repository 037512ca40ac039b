"""Bodies that real channels send are accepted; brackets inside strings do not count."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.errors import BodyTooLarge
from cloud_adapter.codec import (
    MAX_COST_BYTES,
    MAX_DEPTH,
    TEXT_COPIES,
    WINDOW_BYTES,
    check_cost,
    without_strings,
)

MAX_DIRECT_LINE_LENGTH = 256 * 1024
"""Characters that Direct Line accepts for an activity."""

EMOJI = "\U0001f600"


def card(elements: int, depth: int) -> dict[str, Any]:
    """An Adaptive Card with this many elements, in nested containers."""
    text = {
        "type": "TextBlock",
        "text": "A line, as cards have them.",
        "wrap": True,
        "size": "small",
    }
    inner: dict[str, Any] = {"type": "Container", "items": [text] * elements}
    for _ in range(depth // 2):
        inner = {"type": "Container", "items": [inner]}
    return {"contentType": "application/vnd.microsoft.card.adaptive", "content": inner}


ACTIVITIES: dict[str, Any] = {
    "prose": {"text": "One, two, three: [and so on] {as ever}. " * 20_000},
    "prose of quotes": {"text": 'He said: "No, never." \\ ' * 20_000},
    "a card": {"attachments": [card(500, 60)]},
    "many cards with an emoji": {"text": EMOJI, "attachments": [card(60, 30)] * 10},
    "the maximum of Direct Line": {"text": EMOJI * (MAX_DIRECT_LINE_LENGTH - 100)},
    "the maximum of Direct Line, escaped": {"text": "x" * (MAX_DIRECT_LINE_LENGTH - 100) + EMOJI},
    "a large team": {"membersAdded": [{"id": f"29:{each:060}"} for each in range(5_000)]},
    "a picture": {"attachments": [{"contentUrl": "data:image/png;base64," + "iVBO" * 250_000}]},
    "readings": {"channelData": [[each, each / 7] for each in range(5_000)]},
}


def check(data: Any, *, ascii_only: bool = True) -> None:
    """Check a body."""
    body = json.dumps(data, ensure_ascii=ascii_only).encode()
    check_cost(body, body.decode())


@pytest.mark.parametrize("name", ACTIVITIES)
def test_real_activities(name: str) -> None:
    """Each is accepted."""
    check(ACTIVITIES[name], ascii_only=name != "the maximum of Direct Line")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth(opening: str) -> None:
    """MAX_DEPTH is accepted, one more is not; brackets in strings and siblings do not count."""
    closing = "]" if opening == "[" else "}"
    accepted, deeper = (
        f"{opening * depth}1{closing * depth}" for depth in (MAX_DEPTH, MAX_DEPTH + 1)
    )
    check_cost(accepted.encode(), accepted)
    with pytest.raises(BodyTooLarge, match="deep"):
        check_cost(deeper.encode(), deeper)
    check([[opening] * 1000, [[]] * 1000])


@pytest.mark.parametrize(
    "text",
    ["[" * 1000, '"' + "[" * 1000, '\\"' + "[" * 1000, "\\" * 5 + '"' + "{" * 1000, '["' * 1000],
)
def test_brackets_in_strings(text: str) -> None:
    """Brackets in strings do not count, wherever a string or a window ends."""
    for size in (0, WINDOW_BYTES - 10, WINDOW_BYTES - 5, WINDOW_BYTES - 4, WINDOW_BYTES):
        check({"a" * size: text, "b": text})


ANY_TEXT = st.text(st.sampled_from('ab"\\[]{},:\n\u00e9'), max_size=40)
ANY_JSON = st.recursive(
    ANY_TEXT | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, database=None, max_examples=500)
@given(ANY_JSON, st.integers(1, 20))
def test_a_body_without_its_strings(data: Any, window: int) -> None:
    """All strings are removed, in windows of any size."""
    assert (
        without_strings(json.dumps(data).encode(), window)
        == json.dumps(_emptied(data)).replace('""', "").encode()
    )


class _Empty(str):
    """An empty string that equals only itself, so that a dict can have several as keys."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _emptied(data: Any) -> Any:
    if isinstance(data, str):
        return ""
    if isinstance(data, list):
        return [_emptied(each) for each in data]
    if isinstance(data, dict):
        return {_Empty(): _emptied(each) for each in data.values()}
    return data


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("x", 1),
        ("\u00e9x", 1),
        ("\\u00e9x", 1),
        ("\u4e2dx", 2),
        ("\\u4e2dx", 2),
        ("\\u0100x", 2),
        ("\\u00e9\\u4e2dx", 2),
        ("\\ud7ffx", 2),
        ("\\uD83D\\uDE00x", 4),
        ("\\u4e2d\\ud83dx", 4),
        (EMOJI, 4),
    ],
)
def test_the_width_of_a_text(text: str, width: int) -> None:
    """The widest character, escaped or not, sets the bytes that each character takes (PEP 393)."""
    length = MAX_COST_BYTES // (TEXT_COPIES * width) - 1000
    accepted = text + "x" * (length - len(text))
    check_cost(f'"{accepted}"'.encode(), f'"{accepted}"')
    longer = accepted + "x" * 2000
    with pytest.raises(BodyTooLarge):
        check_cost(f'"{longer}"'.encode(), f'"{longer}"')
