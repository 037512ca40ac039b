"""WakeUp: its text in the queue, its pauses, and messages that are something else."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_adapter.queued.inbox import record
from cloud_adapter.queued.queued_turns import MAX_BATCH_BYTES
from cloud_adapter.queued.wake_up import BACKOFF, WakeUp
from cloud_adapter.storage.blobs import MAX_PART_CHARACTERS
from cloud_adapter.storage.queue import MAX_MESSAGE_BYTES

COUNTS = st.integers(0, 10**6)


@given(st.text(), st.lists(st.text()), COUNTS)
def test_one_for_an_inbox(conversation: str, activities: list[str], retries: int) -> None:
    """The text says everything that the wake-up message does."""
    conversation = conversation.replace("/", "")
    wake_up = WakeUp(conversation, tuple(activities), retries)
    assert WakeUp.parse(wake_up.text) == wake_up
    assert wake_up.is_for_inbox
    assert wake_up.conversation == conversation


@given(st.text(), st.text(), COUNTS)
def test_one_for_an_activity(conversation: str, activity: str, retries: int) -> None:
    """The same."""
    conversation = conversation.replace("/", "")
    wake_up = WakeUp(f"{conversation}/{activity}", (), retries)
    assert WakeUp.parse(wake_up.text) == wake_up
    assert not wake_up.is_for_inbox
    assert wake_up.conversation == conversation


def test_the_stored_formats() -> None:
    """The instances of a bot read each other's messages, also while a deployment replaces them."""
    activity = WakeUp("c/a").next(2)
    assert json.loads(activity.text) == {"v": 1, "activity": "c/a", "again": 2}
    inbox = WakeUp("c", ("a", "b"))
    assert json.loads(inbox.text) == {
        "v": 1,
        "inbox": "c",
        "activities": ["a", "b"],
        "again": 0,
    }


@pytest.mark.parametrize("following", [WakeUp("c", ("a",)).next(0), WakeUp("c", ("a",), 1).next(2)])
def test_one_that_is_put_back(following: WakeUp) -> None:
    """It names no activities: it stands for all that were taken over in the meantime."""
    assert following.activities == ()


def test_the_most_activities() -> None:
    """The ids of a batch fit into a queue message, however small its records are."""
    body = b'{"type":"a","channelId":"b","serviceUrl":"c","conversation":{"id":"d"}}'
    smallest = record(uuid.uuid4().hex, 10**18, {}, body)
    ids = tuple(uuid.uuid4().hex for _ in range(MAX_BATCH_BYTES // len(smallest)))
    assert len(WakeUp("c" * MAX_PART_CHARACTERS, ids).text) <= MAX_MESSAGE_BYTES


def test_pauses() -> None:
    """Each is twice as long as the one before, up to half a minute, after any number of retries."""
    wake_up, pauses = WakeUp("c/a"), []
    for _ in range(8):
        pauses.append(wake_up.pause)
        wake_up = wake_up.next(wake_up.retries + 1)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert WakeUp("c/a", (), 10**6).pause == BACKOFF.longest
    assert WakeUp("c/a", (), -(10**6)).pause >= 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"activity": "c/a", "again": 1}',
        '{"v": 1, "activity": "c/a"}',
        '{"v": 1, "again": 1}',
        '{"v": 1, "activity": "c", "again": 1}',
        '{"v": 1, "activity": 5, "again": 1}',
        '{"v": 1, "activity": "c/a", "again": "1"}',
        '{"v": 1, "activity": "c/a", "again": null}',
        '["c/a", 1]',
        '{"v": 1, "inbox": "c", "again": 0}',
        '{"v": 1, "inbox": "c/a", "activities": [], "again": 0}',
        '{"v": 1, "inbox": 5, "activities": [], "again": 0}',
        '{"v": 1, "inbox": "c", "activities": "a", "again": 0}',
        "[" * 48_000,
        "\ud800",
    ],
)
def test_messages_that_are_something_else(text: Any) -> None:
    """Each raises the same kind of error."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        WakeUp.parse(text)
