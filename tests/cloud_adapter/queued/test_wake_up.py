"""WakeUp: its text in the queue, its pauses, and messages that are something else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_adapter.queued.wake_up import BACKOFF, WakeUp

COUNTS = st.integers(0, 10**6)


@given(st.text(), st.text(), COUNTS, COUNTS)
def test_it_is_parsed_as_written(
    conversation: str, activity: str, retries: int, redeliveries: int
) -> None:
    """The text says everything that the wake-up message does."""
    conversation = conversation.replace("/", "")
    wake_up = WakeUp(f"{conversation}/{activity}", retries, redeliveries)
    assert WakeUp.parse(wake_up.text) == wake_up
    assert wake_up.conversation == conversation


def test_the_stored_format() -> None:
    """Earlier and later versions of the app read each other's messages."""
    wake_up = WakeUp("c/a").next(3).next(1)
    assert json.loads(wake_up.text) == {"activity": "c/a", "again": 2, "seen": 2}


def test_pauses() -> None:
    """Each is twice as long as the one before, up to half a minute, after any number of retries."""
    wake_up, pauses = WakeUp("c/a"), []
    for _ in range(8):
        pauses.append(wake_up.pause)
        wake_up = wake_up.next(1)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert WakeUp("c/a", 10**6).pause == BACKOFF.longest
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
        '{"again": 1, "seen": 0}',
        '{"activity": "c", "again": 1, "seen": 0}',
        '{"activity": 5, "again": 1, "seen": 0}',
        '{"activity": "c/a", "again": "1", "seen": 0}',
        '{"activity": "c/a", "again": 0, "seen": null}',
        '["c/a", 1]',
        "[" * 48_000,
        "\ud800",
    ],
)
def test_messages_that_are_something_else(text: Any) -> None:
    """Each raises the same kind of error."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        WakeUp.parse(text)
