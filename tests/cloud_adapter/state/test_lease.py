"""Leases between processes: how they are passed on, renewed, lost and released."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from cloud_adapter.state.lease import OPENING_SHARE, RENEWAL_SECONDS, open_lease_id
from cloud_adapter.state.leased_lock import BACKOFF, EMPTY_STATE, MAX_LEASE_REUSE_SECONDS
from cloud_adapter.state.lock import (
    ConversationLocks,
)
from cloud_adapter.state.stored_json import CONTAINER
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, LEASE_SECONDS, BlobContainer
from tests.support.storage.storage_front import (
    Pass,
    Passage,
    StorageFront,
    after,
    answered,
    cut_after,
    cut_before,
)
from tests.support.timing.condition import comes_true, found
from tests.support.timing.locked_turn import LONG, LockedTurn, is_free
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

READ, LEASE = f"GET blob {CONTAINER}", f"PUT blob lease {CONTAINER}"
SHORT = 0.02
"""Seconds between renewals, where a test waits for them."""


@pytest.fixture(autouse=True)
async def _known(account: StorageAccount) -> None:
    """The conversation had turns before."""
    await BlobContainer(account, CONTAINER).write("c", EMPTY_STATE, None)


@pytest.fixture
def one(account: StorageAccount) -> ConversationLocks:
    """A process's locks."""
    return ConversationLocks(BlobContainer(account, CONTAINER))


@pytest.fixture
def other(account: StorageAccount) -> ConversationLocks:
    """Another process's locks, over the same account."""
    return ConversationLocks(BlobContainer(account, CONTAINER))


@pytest.fixture
def far(far_account: StorageAccount) -> ConversationLocks:
    """A process's locks, whose account is behind the proxy."""
    return ConversationLocks(BlobContainer(far_account, CONTAINER))


@pytest.fixture
async def blob(storage: str) -> AsyncIterator[BlobClient]:
    """The blob whose lease decides about the conversation `c`."""
    async with BlobClient.from_connection_string(storage, CONTAINER, "c") as blob:
        yield blob


async def writes_under(blob: BlobClient, lease_id: str) -> bool:
    """Whether the blob has this lease."""
    try:
        await blob.set_blob_metadata({}, lease=lease_id)
    except HttpResponseError:
        return False
    return True


async def opened(front: StorageFront, clock: MovedClock) -> None:
    """Let a lease become open."""
    before = front.count(LEASE)
    clock.move(RENEWAL_SECONDS * OPENING_SHARE + 0.1)
    await comes_true(lambda: front.count(LEASE) >= before + 2 and not clock.hurried())


async def renewed(front: StorageFront, clock: MovedClock) -> None:
    """Let an open lease be renewed."""
    before = front.count(LEASE)
    clock.move(RENEWAL_SECONDS + 0.1)
    await comes_true(lambda: front.count(LEASE) > before and not clock.hurried())


async def test_a_lease_is_passed_on(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """Turns that wait in the same process take it over without a request; the last releases it."""
    turns = [await LockedTurn.start(far), *(LockedTurn(far) for _ in range(4))]
    await settled()
    before = len(front.calls)
    for turn in turns[:-1]:
        await turn.end()
    await turns[-1].started.wait()
    assert len(front.calls) == before
    assert not await is_free(other)
    await turns[-1].end()
    assert await is_free(other)


async def test_an_old_lease_is_not_passed_on(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront, clock: MovedClock
) -> None:
    """It is released first, so that a turn in another process gets the conversation in between."""
    first = await LockedTurn.start(far)
    second, elsewhere = LockedTurn(far), LockedTurn(other)
    await settled()
    clock.move(MAX_LEASE_REUSE_SECONDS + 0.1)
    await settled()
    before = front.count(LEASE)
    first.let_end()
    await first.task
    await comes_true(lambda: second.started.is_set() or elsewhere.started.is_set())
    # A release and a new lease, beside a renewal that may have come in between.
    assert front.count(LEASE) - before >= 2
    for turn in (second, elsewhere):
        turn.let_end()
    clock.move(BACKOFF.longest)
    await second.task
    await elsewhere.task


async def test_a_waiting_turn_that_is_cancelled(
    one: ConversationLocks, other: ConversationLocks
) -> None:
    """A lease that was to be passed on to it is released all the same."""
    started, ends = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with one.lock("c", 0):
            started.set()
            await ends.wait()
        second.task.cancel()  # it has the lock by now, but has not run yet

    turn = asyncio.create_task(first())
    await started.wait()
    second = LockedTurn(one)
    await settled()
    ends.set()
    await turn
    with pytest.raises(asyncio.CancelledError):
        await second.task
    await one.close()
    assert await is_free(other)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_turn_that_arrives_at_once(far: ConversationLocks, front: StorageFront) -> None:
    """It takes over the lease and the state of a turn that has just ended, without a request."""
    before = front.count("")
    for _ in range(3):
        async with far.lock("c", 0):
            pass
    assert front.count("") == before + 2
    await far.close()
    assert front.count("") == before + 3


async def test_a_lease_that_nobody_takes_over(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """It is released soon, in the background: the turn's end waits for no request."""
    async with far.lock("c", 0):
        before = front.count(LEASE)
    assert front.count(LEASE) == before
    await comes_true(lambda: front.count(LEASE) > before)
    await far.close()
    assert front.count(LEASE) == before + 1
    assert await is_free(other)


async def test_a_turn_that_arrives_during_a_release(
    far: ConversationLocks, front: StorageFront
) -> None:
    """It waits for the release, and does not ask for the lease meanwhile."""
    arrived: list[LockedTurn] = []
    counts = []

    async def arrive() -> None:
        arrived.append(LockedTurn(far))
        counts.append(front.count(LEASE))
        await settled()
        counts.append(front.count(LEASE))

    turn = await LockedTurn.start(far)
    front.spoil(LEASE, after(arrive), times=1)
    await turn.end()
    await arrived[0].started.wait()
    assert counts == [2, 2]
    assert front.count(LEASE) == 3
    await arrived[0].end()


async def test_a_turn_that_is_cancelled_during_a_release(
    far: ConversationLocks, front: StorageFront
) -> None:
    """The turn after it has the lock alone: there are never two locks of a conversation."""
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await goes_on.wait()

    turn = await LockedTurn.start(far)
    front.spoil(LEASE, after(hold), times=1)
    closing = asyncio.create_task(turn.end())
    await arrived.wait()
    cancelled = LockedTurn(far)
    await settled()
    cancelled.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled.task
    third = LockedTurn(far)
    await settled()
    goes_on.set()
    await closing
    await third.started.wait()
    with pytest.raises(ConversationBusy, match="running in this process"):
        await LockedTurn(far, lock_timeout=0).task
    await third.end()


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


async def test_a_read_that_is_overtaken(far: ConversationLocks, front: StorageFront) -> None:
    """What was written in the meantime is newer than what the read finds."""
    was_read, goes_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Passage, passed: Pass) -> web.StreamResponse:
        response = await passed()
        was_read.set()
        await goes_on.wait()
        return response

    async with far.lock("c", 0) as locked:
        front.spoil(READ, hold, times=1)
        reading = asyncio.create_task(far.read("c"))
        await was_read.wait()
        await far.write("c", b'{"x":1}', ANY)
        goes_on.set()
        found = await reading
        assert found
        assert (found.content, locked.blob and locked.blob.content) == (EMPTY_STATE, b'{"x":1}')


async def test_a_lost_lease(
    account: StorageAccount,
    other: ConversationLocks,
    blob: BlobClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A turn whose lease another process got is not stopped, and does not release that lease."""
    one = ConversationLocks(BlobContainer(account, CONTAINER), renewal_seconds=1)
    turn = await LockedTurn.start(one)
    await BlobLeaseClient(blob).break_lease(0)
    theirs = await LockedTurn.start(other)
    assert not one.lease_lost("c")
    await comes_true(lambda: one.lease_lost("c"))
    assert "lease was lost to another process" in caplog.text
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
    clock.move(RENEWAL_SECONDS * OPENING_SHARE + 0.1)
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
    await arrived.wait()
    if theirs:
        await theirs.end()
    turn.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn.task
    before = front.count(LEASE)
    goes_on.set()
    await comes_true(lambda: front.count(LEASE) > before)
    await found(lambda: is_free(other))


async def test_a_read_that_fails_beside_the_lease(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """The turn does not start, and the lease is released; nor does one whose lease fails."""
    front.spoil(READ, answered(403), times=1)
    with pytest.raises(StorageUnavailable):
        await LockedTurn(far).task
    await comes_true(lambda: front.count(LEASE) == 2)
    await found(lambda: is_free(other))
    front.spoil(LEASE, answered(403), times=1)
    with pytest.raises(StorageUnavailable):
        await LockedTurn(far).task
    assert await is_free(other)


async def test_a_second_read_that_fails(
    account: StorageAccount, far: ConversationLocks, front: StorageFront
) -> None:
    """The turn that waits behind it does not take over what was read too early."""
    was_read = asyncio.Event()

    async def read(_: Passage, passed: Pass) -> web.StreamResponse:
        response = await passed()
        was_read.set()
        return response

    async def theirs() -> None:
        await was_read.wait()
        await BlobContainer(account, CONTAINER).write("c", b'{"x":1}', ANY)

    front.spoil(READ, read, times=1)
    front.spoil(READ, answered(403), times=1)
    front.spoil(LEASE, after(theirs), times=1)

    async def turn() -> bytes:
        async with far.lock("c", LONG) as locked:
            return locked.blob.content if locked.blob else b""

    first, second = await asyncio.gather(turn(), turn(), return_exceptions=True)
    assert isinstance(first, StorageUnavailable)
    assert second == b'{"x":1}'


async def test_a_first_turn_that_fails(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """The new blob's lease is released all the same, also if the turn is over before it exists."""
    over = asyncio.Event()
    front.spoil(f"PUT blob {CONTAINER}", after(over.wait), times=1)

    async def turn() -> None:
        async with far.lock("new", 0):
            raise LookupError

    with pytest.raises(LookupError):
        await turn()
    over.set()
    await far.close()
    assert [call.name for call in front.calls[-3:]] == [f"PUT blob {CONTAINER}", LEASE, LEASE]
    assert await is_free(other, "new")


async def test_a_first_turn_that_cannot_be_leased(
    far: ConversationLocks, front: StorageFront, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning says so, and the turn counts its lease as lost."""
    front.spoil(f"PUT blob {CONTAINER}", answered(403), times=1)
    turn = await LockedTurn.start(far, "new")
    await comes_true(lambda: "new conversation could not be leased" in caplog.text)
    assert far.lease_lost("new")
    await turn.end()
    assert await is_free(far, "new")


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
