"""Inbox: what is stored of an activity, from its acceptance to its end."""

import json
import time

import pytest
from botbuilder.schema import Activity

from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import StorageUnavailable, UnreadableActivity
from cloud_adapter.queued.inbox import CLEAN_UP_INTERVAL, Inbox
from cloud_adapter.queued.stored_activity import (
    DONE,
    FAILED,
    WAITING,
    AcceptedActivity,
    StoredActivity,
)
from tests.support.bots.queued_turns import CLAIMS, CONVERSATION, QueuedTurnsBot, content, name_of
from tests.support.storage.storage_front import StorageFront, answered


@pytest.fixture
def inbox(one: QueuedTurnsBot) -> Inbox:
    """A process's inbox."""
    return one.inbox


async def store(inbox: Inbox, body: bytes) -> StoredActivity:
    """Store an activity, and mark it if it waits."""
    stored = await inbox.store(read_model(Activity, json.loads(body)), body, CLAIMS)
    if stored.state == WAITING:
        await inbox.mark(stored)
    assert await inbox.find(stored.name) == stored
    return stored


async def waiting(inbox: Inbox, conversation: str = CONVERSATION) -> list[str]:
    """The names of the activities that wait in a conversation."""
    return list(await inbox.waiting(conversation))


async def parsed(inbox: Inbox, name: str = name_of()) -> AcceptedActivity:
    """What is stored of an activity."""
    found = await inbox.read(name)
    assert found
    return found.parse()


async def test_a_stored_activity(one: QueuedTurnsBot, inbox: Inbox) -> None:
    """Its blob's name, metadata and marker are formats that other versions of the app read."""
    before = time.time_ns()
    stored = await store(inbox, content())
    assert before <= stored.accepted_at <= time.time_ns()
    assert 0 <= inbox.age(stored) < 60
    assert stored.marker == f"waiting/webchat~2Fconversations~2Fc/{stored.accepted_at:020}/a"
    assert await inbox.waiting(CONVERSATION) == {stored.name: stored.marker}
    assert await waiting(inbox, "webchat~2Fconversations~2F") == []
    blob = await one.blobs.read("webchat~2Fconversations~2Fc/a")
    assert blob
    assert blob.metadata == {
        "state": "waiting",
        "accepted": f"{stored.accepted_at}",
        "tries": "0",
    }
    assert json.loads(blob.content) == {"claims": CLAIMS, "activity": json.loads(content())}


async def test_a_second_delivery_changes_nothing(inbox: Inbox) -> None:
    """Neither the time of acceptance, nor the attempts, nor the content."""
    stored = await store(inbox, content(text="first"))
    await inbox.set_attempts(stored, 1)
    again = await store(inbox, content(text="second"))
    assert (again.accepted_at, again.attempts) == (stored.accepted_at, 1)
    assert await waiting(inbox) == [stored.name]
    assert (await parsed(inbox)).activity.text == "first"


async def test_the_states_of_an_activity(inbox: Inbox) -> None:
    """Its attempts are counted, it is dead-lettered with a failure, requeued, and finished."""
    stored = await store(inbox, content())
    await inbox.set_attempts(stored, 1)
    await inbox.set_attempts(stored, 0)
    assert await inbox.find(stored.name) == stored
    await inbox.dead_letter(stored, "why")
    assert await waiting(inbox) == []
    failed = await inbox.find(stored.name)
    assert failed
    assert (failed.state, failed.attempts) == (FAILED, 1)
    assert failed.accepted_at == stored.accepted_at
    accepted = await parsed(inbox)
    assert (accepted.failure, accepted.activity.text) == ("why", "hello")
    await inbox.requeue(failed)
    assert await inbox.find(stored.name) == stored
    assert await waiting(inbox) == [stored.name]
    await inbox.finish(stored)
    done = await inbox.read(stored.name)
    assert done
    assert (done.state, done.accepted_at, done.content) == (DONE, stored.accepted_at, b"")
    assert await waiting(inbox) == []


async def test_a_missing_activity(inbox: Inbox) -> None:
    """Counting attempts or dead-lettering does not create a blob that is gone."""
    gone = StoredActivity("c/a", 5, 0, WAITING)
    assert await inbox.find("c/a") is None
    assert await inbox.read("c/a") is None
    await inbox.set_attempts(gone, 1)
    await inbox.dead_letter(gone, "why")
    assert await inbox.find("c/a") is None


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"claims": {}}',
        b'{"claims": {}, "activity": 5}',
        b'{"activity": {}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
async def test_unreadable_content(one: QueuedTurnsBot, inbox: Inbox, body: bytes) -> None:
    """It raises UnreadableActivity, and can be dead-lettered."""
    stored = await store(inbox, content())
    await one.blobs.write(stored.name, body, "*", stored.metadata(WAITING, 0))
    with pytest.raises(UnreadableActivity, match="cannot be read"):
        await parsed(inbox)
    await inbox.dead_letter(stored, "why")
    found = await inbox.find(stored.name)
    assert found
    assert found.state == FAILED


async def test_the_order_of_stored_activities(one: QueuedTurnsBot, inbox: Inbox) -> None:
    """They are listed in the order of acceptance, which is not that of their names."""
    ids = [f"{(number * 7) % 20}" for number in range(20)]
    for each in ids:
        await store(inbox, content(each))
    await one.accept(content("x", "other"))
    assert await waiting(inbox) == [name_of(each) for each in ids]


async def test_cleaning_up(one: QueuedTurnsBot, inbox: Inbox) -> None:
    """Old processed activities are deleted now and then; others and young ones stay."""
    for number in range(300):
        old = StoredActivity(f"c/{number:03}", 5, 0, DONE)
        await one.blobs.write(old.name, b"", None, old.metadata(DONE, 0))
    failed = StoredActivity("c/failed", 5, 5, FAILED)
    await one.blobs.write(failed.name, b"", None, failed.metadata(FAILED, 5))
    young = StoredActivity("c/young", time.time_ns(), 0, DONE)
    await one.blobs.write(young.name, b"", None, young.metadata(DONE, 0))
    await inbox.clean_up(StoredActivity("c/a", 1000 * (CLEAN_UP_INTERVAL + 1), 0, DONE))
    assert len([each async for each in one.blobs.list("c/")]) == 302
    await inbox.clean_up(StoredActivity("c/a", 1000 * CLEAN_UP_INTERVAL, 0, DONE))
    assert [each.name async for each in one.blobs.list("c/")] == ["c/failed", "c/young"]


async def test_a_deletion_that_fails(far: QueuedTurnsBot, front: StorageFront) -> None:
    """It raises StorageUnavailable."""
    old = StoredActivity("c/a", 5, 0, DONE)
    await far.blobs.write(old.name, b"", None, old.metadata(DONE, 0))
    front.spoil("DELETE blob", answered(403))
    with pytest.raises(StorageUnavailable):
        await far.inbox.clean_up(StoredActivity("c/a", 0, 0, DONE))
