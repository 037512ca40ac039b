"""WaitingActivities: what a blob keeps of an activity, from acceptance to the end."""

import json
import time

import pytest
from botbuilder.schema import Activity

from auth.errors import StorageUnavailable
from cloud_adapter.activity_codec import read_model
from cloud_adapter.storage_account import StorageAccount
from cloud_adapter.waiting_activity import (
    DONE,
    FAILED,
    WAITING,
    UnreadableActivity,
    WaitingActivities,
    WaitingActivity,
)
from tests.support.storage_front import StorageFront, answered
from tests.support.waiting_turns import CLAIMS, WaitingTurns, content, name_of


@pytest.fixture
def turns(account: StorageAccount) -> WaitingTurns:
    """A process."""
    return WaitingTurns(account)


@pytest.fixture
def activities(turns: WaitingTurns) -> WaitingActivities:
    """Its activities."""
    return turns.activities


async def added(activities: WaitingActivities, body: bytes) -> WaitingActivity:
    """An activity as it waits."""
    name = await activities.add(read_model(Activity, json.loads(body)), body, CLAIMS)
    found = await activities.find(name)
    assert found
    return found


async def test_it_waits(activities: WaitingActivities) -> None:
    """Its name says where it belongs, its metadata since when it waits, its content what it is."""
    before = time.time_ns()
    waiting = await added(activities, content())
    assert (waiting.name, waiting.state, waiting.tries) == (name_of(), WAITING, 0)
    assert before <= waiting.accepted <= time.time_ns()
    assert 0 <= waiting.age < 60
    assert await activities.of("webchat~2Fc") == [waiting]
    assert await activities.of("webchat~2F") == []
    delivery = await activities.read(waiting.name)
    assert delivery
    assert delivery.claims == CLAIMS


async def test_a_second_delivery_changes_nothing(activities: WaitingActivities) -> None:
    """Not when it was accepted, nor how it stands, nor what it says."""
    waiting = await added(activities, content(text="first"))
    await activities.count_try(waiting)
    again = await added(activities, content(text="second"))
    assert (again.accepted, again.tries) == (waiting.accepted, 1)
    delivery = await activities.read(waiting.name)
    assert delivery
    assert delivery.activity.text == "first"


async def test_its_life(activities: WaitingActivities) -> None:
    """Tries are counted, it is given up with a cause, waits again, and ends."""
    waiting = await added(activities, content())
    await activities.count_try(waiting)
    await activities.wait_on(waiting)
    found = await activities.find(waiting.name)
    assert found == waiting
    await activities.give_up(waiting, "why")
    assert await activities.of("webchat~2Fc") == []
    given_up = await activities.find(waiting.name)
    assert given_up
    assert (given_up.state, given_up.tries, given_up.accepted) == (FAILED, 1, waiting.accepted)
    delivery = await activities.read(waiting.name)
    assert delivery
    assert (delivery.failure, delivery.activity.text) == ("why", "hello")
    await activities.revive(given_up)
    assert await activities.find(waiting.name) == waiting
    await activities.finish(waiting)
    done = await activities.find(waiting.name)
    assert done
    assert (done.state, done.accepted) == (DONE, waiting.accepted)
    assert await activities.read(waiting.name) is None
    await activities.give_up(done, "too late")
    assert await activities.find(waiting.name) == done


async def test_what_is_gone(activities: WaitingActivities) -> None:
    """What was deleted meanwhile does not come back, except as a done one."""
    gone = WaitingActivity("c/a", 5, 0, WAITING)
    assert await activities.find("c/a") is None
    assert await activities.read("c/a") is None
    await activities.count_try(gone)
    await activities.revive(gone)
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
async def test_what_cannot_be_read(
    turns: WaitingTurns, activities: WaitingActivities, body: bytes
) -> None:
    """It is told as that, whatever it is, and can be given up all the same."""
    waiting = await added(activities, content())
    await turns.blobs.write(waiting.name, body, "*", waiting.metadata(WAITING, 0))
    with pytest.raises(UnreadableActivity, match="cannot be read"):
        await activities.read(waiting.name)
    await activities.give_up(waiting, "why")
    found = await activities.find(waiting.name)
    assert found
    assert found.state == FAILED


async def test_a_listing_of_many(turns: WaitingTurns, activities: WaitingActivities) -> None:
    """They come in the order of acceptance, which is not that of their names."""
    ids = [f"{(number * 7) % 20}" for number in range(20)]
    for each in ids:
        await added(activities, content(each))
    await turns.accept(content("x", "other"))
    assert [each.name for each in await activities.of("webchat~2Fc")] == [
        name_of(each) for each in ids
    ]


async def test_old_ones(turns: WaitingTurns, activities: WaitingActivities) -> None:
    """More done ones than one request can delete go in several."""
    for number in range(300):
        old = WaitingActivity(f"c/{number:03}", 5, 0, DONE)
        await turns.blobs.write(old.name, b"", None, old.metadata(DONE, 0))
    assert await activities.of("c") == []
    assert len([each async for each in turns.blobs.list("c/")]) == 300 - 256
    await activities.of("c")
    assert [each async for each in turns.blobs.list("c/")] == []


async def test_a_deletion_that_fails(far_account: StorageAccount, front: StorageFront) -> None:
    """It is told: the turn is not made on what may be a broken account."""
    turns = WaitingTurns(far_account)
    old = WaitingActivity("c/a", 5, 0, DONE)
    await turns.blobs.write(old.name, b"", None, old.metadata(DONE, 0))
    front.spoil("POST blob", answered(403))
    with pytest.raises(StorageUnavailable):
        await turns.activities.of("c")
