"""Inbox: what a blob keeps of an activity, from acceptance to the end."""

import json
import time

import pytest
from botbuilder.schema import Activity

from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import StorageUnavailable, UnreadableActivity
from cloud_adapter.queued.inbox import (
    DONE,
    FAILED,
    SWEEP_EVERY,
    WAITING,
    AcceptedActivity,
    Inbox,
    StoredActivity,
)
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import CLAIMS, QueuedTurnsBot, content, name_of
from tests.support.storage.storage_front import StorageFront, answered


@pytest.fixture
def turns(account: StorageAccount) -> QueuedTurnsBot:
    """A process."""
    return QueuedTurnsBot(account)


@pytest.fixture
def activities(turns: QueuedTurnsBot) -> Inbox:
    """Its activities."""
    return turns.activities


async def added(activities: Inbox, body: bytes) -> StoredActivity:
    """An activity as it waits."""
    waiting = await activities.keep(read_model(Activity, json.loads(body)), body, CLAIMS)
    if waiting.state == WAITING:
        await activities.line_up(waiting)
    found = await activities.find(waiting.name)
    assert found == waiting
    return waiting


async def line(activities: Inbox, conversation: str = "webchat~2Fc") -> list[str]:
    """Who waits in a conversation."""
    return list(await activities.line(conversation))


async def delivery(activities: Inbox, name: str = name_of()) -> AcceptedActivity:
    """What was delivered."""
    found = await activities.read(name)
    assert found
    return found.delivery()


async def test_it_waits(activities: Inbox) -> None:
    """Its name says where it belongs, its metadata since when it waits, its content what it is."""
    before = time.time_ns()
    waiting = await added(activities, content())
    assert (waiting.name, waiting.state, waiting.tries) == (name_of(), WAITING, 0)
    assert before <= waiting.accepted <= time.time_ns()
    assert 0 <= waiting.age < 60
    assert await activities.line("webchat~2Fc") == {waiting.name: waiting.place}
    assert await line(activities, "webchat~2F") == []
    assert (await delivery(activities)).claims == CLAIMS


async def test_a_second_delivery_changes_nothing(activities: Inbox) -> None:
    """Not when it was accepted, nor how it stands, nor what it says."""
    waiting = await added(activities, content(text="first"))
    await activities.note_tries(waiting, 1)
    again = await added(activities, content(text="second"))
    assert (again.accepted, again.tries) == (waiting.accepted, 1)
    assert await line(activities) == [waiting.name]
    assert (await delivery(activities)).activity.text == "first"


async def test_its_life(activities: Inbox) -> None:
    """Tries are counted, it is given up with a cause, waits again, and ends."""
    waiting = await added(activities, content())
    await activities.note_tries(waiting, 1)
    await activities.note_tries(waiting, 0)
    assert await activities.find(waiting.name) == waiting
    await activities.give_up(waiting, "why")
    assert await line(activities) == []
    given_up = await activities.find(waiting.name)
    assert given_up
    assert (given_up.state, given_up.tries, given_up.accepted) == (FAILED, 1, waiting.accepted)
    told = await delivery(activities)
    assert (told.failure, told.activity.text) == ("why", "hello")
    await activities.revive(given_up)
    assert await activities.find(waiting.name) == waiting
    assert await line(activities) == [waiting.name]
    await activities.finish(waiting)
    done = await activities.read(waiting.name)
    assert done
    assert (done.state, done.accepted, done.content) == (DONE, waiting.accepted, b"")
    assert await line(activities) == []


async def test_what_is_gone(activities: Inbox) -> None:
    """What was deleted meanwhile does not come back, except as a done one."""
    gone = StoredActivity("c/a", 5, 0, WAITING)
    assert await activities.find("c/a") is None
    assert await activities.read("c/a") is None
    await activities.note_tries(gone, 1)
    await activities.give_up(gone, "why")
    assert await activities.find("c/a") is None


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
async def test_what_cannot_be_read(turns: QueuedTurnsBot, activities: Inbox, body: bytes) -> None:
    """It is told as that, whatever it is, and can be given up all the same."""
    waiting = await added(activities, content())
    await turns.blobs.write(waiting.name, body, "*", waiting.metadata(WAITING, 0))
    with pytest.raises(UnreadableActivity, match="cannot be read"):
        await delivery(activities)
    await activities.give_up(waiting, "why")
    found = await activities.find(waiting.name)
    assert found
    assert found.state == FAILED


async def test_a_listing_of_many(turns: QueuedTurnsBot, activities: Inbox) -> None:
    """They come in the order of acceptance, which is not that of their names."""
    ids = [f"{(number * 7) % 20}" for number in range(20)]
    for each in ids:
        await added(activities, content(each))
    await turns.accept(content("x", "other"))
    assert await line(activities) == [name_of(each) for each in ids]


async def test_old_ones(turns: QueuedTurnsBot, activities: Inbox) -> None:
    """More done ones than one request can delete go in several; what is not done stays."""
    for number in range(300):
        old = StoredActivity(f"c/{number:03}", 5, 0, DONE)
        await turns.blobs.write(old.name, b"", None, old.metadata(DONE, 0))
    failed = StoredActivity("c/failed", 5, 5, FAILED)
    await turns.blobs.write(failed.name, b"", None, failed.metadata(FAILED, 5))
    young = StoredActivity("c/young", time.time_ns(), 0, DONE)
    await turns.blobs.write(young.name, b"", None, young.metadata(DONE, 0))
    await activities.sweep(StoredActivity("c/a", 1000 * (SWEEP_EVERY + 1), 0, DONE))
    assert len([each async for each in turns.blobs.list("c/")]) == 302
    await activities.sweep(StoredActivity("c/a", 1000 * SWEEP_EVERY, 0, DONE))
    assert [each.name async for each in turns.blobs.list("c/")] == ["c/failed", "c/young"]


async def test_a_deletion_that_fails(far_account: StorageAccount, front: StorageFront) -> None:
    """It is told."""
    turns = QueuedTurnsBot(far_account)
    old = StoredActivity("c/a", 5, 0, DONE)
    await turns.blobs.write(old.name, b"", None, old.metadata(DONE, 0))
    front.spoil("POST blob", answered(403))
    with pytest.raises(StorageUnavailable):
        await turns.activities.sweep(StoredActivity("c/a", 0, 0, DONE))
