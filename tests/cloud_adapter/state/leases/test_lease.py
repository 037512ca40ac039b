"""ConversationLocks: leases between processes are renewed, lost and released."""

import asyncio
import logging

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from cloud_adapter.state.lock import RENEWAL_SECONDS, ConversationLocks, open_lease_id
from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import LEASE_SECONDS, BlobContainer
from tests.support.storage.moved_leases import OPENING_SECONDS, opened, renewed
from tests.support.storage.storage_front import (
    StorageFront,
    after,
    answered,
    cut_after,
    cut_before,
)
from tests.support.timing.condition import comes_true, found
from tests.support.timing.locked_turn import LockedTurn, is_free
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

READ, LEASE = f"GET blob {CONTAINER}", f"PUT blob lease {CONTAINER}"
SHORT = 0.02
"""Seconds between renewals, where a test waits for them."""


async def writes_under(blob: BlobClient, lease_id: str) -> bool:
    """Whether the blob has this lease."""
    try:
        await blob.set_blob_metadata({}, lease=lease_id)
    except HttpResponseError:
        return False
    return True


async def test_renewal(far_account: StorageAccount, front: StorageFront) -> None:
    """A lease is renewed until it is released, often enough that one renewal may fail."""
    turn = await LockedTurn.start(
        ConversationLocks(BlobContainer(far_account, CONTAINER), renewal_seconds=SHORT)
    )
    await comes_true(lambda: front.count(LEASE) > 5)
    await turn.end()
    assert 2 * RENEWAL_SECONDS < LEASE_SECONDS


async def test_a_renewed_lease(
    far: ConversationLocks, front: StorageFront, clock: MovedClock
) -> None:
    """It is not lost, however long the turn takes."""
    turn = await LockedTurn.start(far)
    await opened(front, clock)
    for _ in range(4):
        await renewed(front, clock)
        assert not far.lease_lost("c")
    await turn.end()


async def test_a_lost_lease(
    one: ConversationLocks,
    other: ConversationLocks,
    blob: BlobClient,
    clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A turn whose lease another process got is not stopped, and does not release that lease."""
    with clock.stopped():
        turn = await LockedTurn.start(one)
        await BlobLeaseClient(blob).break_lease(0)
        clock.move(OPENING_SECONDS / 2)
        theirs = await LockedTurn.start(other)
        assert not one.lease_lost("c")
        clock.move(OPENING_SECONDS / 2)  # theirs is not open yet, so it has another id
        await clock.until(lambda: one.lease_lost("c"))
    assert "lease was lost: it was not renewed in time" in caplog.text
    assert not other.lease_lost("c")
    second = LockedTurn(one)
    await turn.end()
    assert not await is_free(one)
    assert not second.started.is_set()
    await theirs.end()
    await second.started.wait()
    await second.end()


async def test_a_renewal_that_fails(
    far_account: StorageAccount,
    other: ConversationLocks,
    front: StorageFront,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failed renewal is logged and repeated, and the turn continues."""
    turn = await LockedTurn.start(
        ConversationLocks(BlobContainer(far_account, CONTAINER), renewal_seconds=SHORT)
    )
    front.spoil(LEASE, answered(403), times=1)
    await comes_true(lambda: "lease could not be renewed" in caplog.text)
    before = front.count(LEASE)
    await comes_true(lambda: front.count(LEASE) > before)
    await turn.end()
    assert await is_free(other)


@pytest.mark.usefixtures("stopped_clock")  # no renewal fails
async def test_a_release_that_fails(
    far: ConversationLocks, front: StorageFront, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn succeeds, and a warning says how long the conversation's next turn may wait."""
    turn = await LockedTurn.start(far)
    front.spoil(LEASE, cut_before)
    await turn.end()
    assert f"its next turn waits up to {LEASE_SECONDS} s" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("status", [403, 500])
async def test_a_lease_that_cannot_be_acquired(
    far: ConversationLocks, front: StorageFront, status: int
) -> None:
    """The turn does not start, and the next one can."""
    front.spoil(LEASE, answered(status))
    with pytest.raises(StorageUnavailable, match="storage account"):
        await LockedTurn(far).task
    front.heal()
    assert await is_free(far)


async def test_a_lost_answer_to_acquiring(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """The retry gets the lease that the first request acquired."""
    assert await is_free(far)
    front.spoil(LEASE, cut_after, times=1)
    turn = await LockedTurn.start(far)
    assert not await is_free(other)
    await turn.end()
    assert await is_free(other)


async def test_a_process_that_was_paused(
    one: ConversationLocks,
    other: ConversationLocks,
    blob: BlobClient,
    clock: MovedClock,
    front: StorageFront,
    far: ConversationLocks,
) -> None:
    """It counts its lease as lost, and neither renews nor releases another process's.

    Both leases are open, so they have the same id.
    """
    turn = await LockedTurn.start(far)
    await opened(front, clock)
    clock.move(LEASE_SECONDS)
    assert far.lease_lost("c")
    await settled()
    await BlobLeaseClient(blob).break_lease(0)  # as time does
    theirs = await LockedTurn.start(other)
    clock.move(OPENING_SECONDS)
    await found(lambda: writes_under(blob, open_lease_id("c")))
    before = front.count(LEASE)
    await turn.end()
    assert front.count(LEASE) == before
    assert not other.lease_lost("c")
    assert not await is_free(one)
    await theirs.end()


@pytest.mark.parametrize("waits", [False, True])
async def test_a_turn_that_is_cancelled_while_it_acquires(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront, waits: bool
) -> None:
    """A lease that it gets all the same is released in the background."""
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await goes_on.wait()

    theirs = await LockedTurn.start(other) if waits else None
    front.spoil(LEASE, after(hold), times=1, skip=int(waits))
    turn = LockedTurn(far)
    if theirs:
        await comes_true(lambda: any(each.name.startswith(LEASE) for each in front.handled))
        await theirs.end()
    await arrived.wait()
    turn.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn.task
    before = front.count(LEASE)
    goes_on.set()
    await comes_true(lambda: front.count(LEASE) > before)
    await found(lambda: is_free(other))


async def test_a_process_that_died(
    account: StorageAccount, other: ConversationLocks, blob: BlobClient
) -> None:
    """Its lease has a fixed duration of 15 seconds, after which the conversation is free."""
    blobs = BlobContainer(account, CONTAINER)
    assert await blobs.acquire_lease("c", "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11")
    assert (await blob.get_blob_properties()).lease.duration == "fixed"
    assert LEASE_SECONDS == 15
    with pytest.raises(ConversationBusy):
        await LockedTurn(other, lock_timeout=0.1).task
