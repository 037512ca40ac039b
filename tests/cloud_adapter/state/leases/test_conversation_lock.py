"""ConversationLocks: a lease and what was read under it are taken over, released, or first made."""

import asyncio

import pytest
from aiohttp import web

from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from cloud_adapter.state.lock import (
    BACKOFF,
    LEASE_GRACE_SECONDS,
    MAX_LEASE_REUSE_SECONDS,
    ConversationLocks,
)
from cloud_adapter.state.stored_state import CONTAINER, EMPTY_STATE
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from tests.support.storage.storage_front import (
    Pass,
    Passage,
    StorageFront,
    after,
    answered,
)
from tests.support.timing.condition import comes_true, found
from tests.support.timing.locked_turn import LONG, LockedTurn, is_free
from tests.support.timing.loop_turns import ended, settled
from tests.support.timing.moved_clock import MovedClock

READ, LEASE = f"GET blob {CONTAINER}", f"PUT blob lease {CONTAINER}"
SHORT = 0.02
"""Seconds between renewals, where a test waits for them."""


@pytest.mark.usefixtures("stopped_clock")  # each renewal is a request
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


@pytest.mark.usefixtures("stopped_clock")  # each renewal is a request
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
    far: ConversationLocks,
    other: ConversationLocks,
    front: StorageFront,
    stopped_clock: MovedClock,
) -> None:
    """It is released soon, in the background: the turn's end waits for no request."""
    async with far.lock("c", 0):
        before = front.count(LEASE)
    assert front.count(LEASE) == before
    stopped_clock.move(LEASE_GRACE_SECONDS)
    await stopped_clock.until(lambda: front.count(LEASE) > before)
    await far.close()
    assert front.count(LEASE) == before + 1
    assert await is_free(other)


@pytest.mark.usefixtures("stopped_clock")  # each renewal is a request
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


async def test_a_read_that_is_overtaken(far: ConversationLocks, front: StorageFront) -> None:
    """What was written in the meantime is newer than what the read finds."""
    was_read, goes_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Passage, passed: Pass) -> web.StreamResponse:
        response = await passed()
        was_read.set()
        await goes_on.wait()
        return response

    async with far.lock("c", 0) as held:
        front.spoil(READ, hold, times=1)
        reading = asyncio.create_task(far.read("c"))
        await was_read.wait()
        await far.write("c", b'{"x":1}', ANY)
        goes_on.set()
        found = await reading
        assert found
        assert (found.content, held.blob and held.blob.content) == (EMPTY_STATE, b'{"x":1}')


async def test_a_read_that_fails_beside_the_lease(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront, clock: MovedClock
) -> None:
    """The turn does not start, and the lease is released; nor does one whose lease fails."""
    front.spoil(READ, answered(403), times=1)
    with clock.stopped():
        with pytest.raises(StorageUnavailable):
            await LockedTurn(far).task
        await far.close()
        assert front.count(LEASE) == 2
    assert await is_free(other)
    front.spoil(LEASE, answered(403), times=1)
    with pytest.raises(StorageUnavailable):
        await LockedTurn(far).task
    await far.close()
    assert front.count(LEASE) == 3
    assert await is_free(other)


def refuse_the_second_read(account: StorageAccount, front: StorageFront) -> None:
    """Change the blob between a turn's read and its lease; so it reads again, which is refused."""
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


async def test_a_second_read_that_fails(
    account: StorageAccount, far: ConversationLocks, front: StorageFront
) -> None:
    """The turn that waits behind it does not take over what was read too early."""
    refuse_the_second_read(account, front)

    async def turn() -> bytes:
        async with far.lock("c", LONG) as held:
            return held.blob.content if held.blob else b""

    first, second = await asyncio.gather(turn(), turn(), return_exceptions=True)
    assert isinstance(first, StorageUnavailable)
    assert second == b'{"x":1}'


@pytest.mark.usefixtures("stopped_clock")  # each renewal is a request
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


def _reads(front: StorageFront) -> int:
    return sum(call.name == READ for call in front.handled)


async def late(locks: ConversationLocks, seconds: float) -> None:
    """A turn in the conversation, with a deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    async with locks.lock("c", seconds, deadline=deadline):
        pass


async def test_a_release_that_is_slow_after_a_failed_read(
    account: StorageAccount,
    far: ConversationLocks,
    front: StorageFront,
    stopped_clock: MovedClock,
) -> None:
    """The turn fails at once; the next one waits for the release, and gets the lock."""
    released, goes_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        released.set()
        await goes_on.wait()

    refuse_the_second_read(account, front)
    front.spoil(LEASE, after(hold), times=1)
    first = LockedTurn(far)
    await stopped_clock.until(lambda: released.is_set() or first.task.done())
    with pytest.raises(StorageUnavailable):
        await ended(first.task)
    second = LockedTurn(far)
    await stopped_clock.until(lambda: released.is_set() or second.started.is_set())
    await settled()
    assert not second.started.is_set()
    goes_on.set()
    await second.started.wait()
    assert front.count(LEASE) == 3
    await second.end()


@pytest.mark.parametrize("held", [1, 2])
async def test_a_deadline(
    far_account: StorageAccount,
    other: ConversationLocks,
    front: StorageFront,
    clock: MovedClock,
    held: int,
) -> None:
    """It ends the wait for a slow storage account; no release and no acquisition is cut off."""
    far = ConversationLocks(BlobContainer(far_account, CONTAINER), renewal_seconds=LONG)
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await goes_on.wait()

    with clock.stopped():
        first = await LockedTurn.start(far)
        waiting = asyncio.create_task(late(far, MAX_LEASE_REUSE_SECONDS + 2))
        await settled()
        front.spoil("PUT blob lease", after(hold), times=1, skip=held - 1)
        first.let_end()
        clock.move(MAX_LEASE_REUSE_SECONDS + 1)
        await first.task
        await clock.until(lambda: arrived.is_set() and _reads(front) == held)
        await settled()
        clock.move(1)
        with pytest.raises(StorageUnavailable, match="too slow"):
            await ended(waiting)
        before = front.count(LEASE)
        second = LockedTurn(far)
        await settled()
        assert front.count(LEASE) == before
        goes_on.set()
        await clock.until(lambda: second.started.is_set() or bool(clock.sleeping()))
        assert second.started.is_set()  # it need not wait until the lease expires
        assert front.count(LEASE) == before + held
    await second.end()
    await found(lambda: is_free(other))
