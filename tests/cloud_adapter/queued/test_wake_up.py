"""Ring: the message that rings, and everything that is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_adapter.queued.wake_up import LONGEST_PAUSE, WakeUp


@given(st.text(), st.text(), st.integers(0, 10**6))
def test_it_comes_back(conversation: str, activity: str, again: int) -> None:
    """Text and back, with the conversation that the activity is in."""
    ring = WakeUp(f"{conversation.replace('/', '')}/{activity}", again)
    assert WakeUp.parse(ring.text) == ring
    assert ring.conversation == conversation.replace("/", "")


def test_what_stands_in_a_message() -> None:
    """Older and newer versions of the app agree on this."""
    assert json.loads(WakeUp("c/a").text) == {"activity": "c/a", "again": 0, "seen": 0}


def test_pauses() -> None:
    """Each is twice as long, up to half a minute; however often it rang, there is one."""
    ring, pauses = WakeUp("c/a"), []
    for _ in range(8):
        pauses.append(ring.pause)
        ring = ring.later(1)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert WakeUp("c/a", 10**6).pause == LONGEST_PAUSE
    assert WakeUp("c/a", -(10**6)).pause >= 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"activity": "c/a"}',
        '{"again": 1}',
        '{"activity": "c", "again": 1}',
        '{"activity": 5, "again": 1}',
        '{"activity": "c/a", "again": "1"}',
        '{"activity": "c/a", "again": null}',
        '["c/a", 1]',
        "[" * 48_000,
        "\ud800",
    ],
)
def test_what_is_none(text: Any) -> None:
    """Whoever else puts messages into the queue gets one kind of error."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        WakeUp.parse(text)
