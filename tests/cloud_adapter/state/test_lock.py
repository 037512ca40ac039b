"""ConversationLocks: one turn at a time, here and in other processes; nobody waits for himself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.storage.blob.aio import BlobClient, BlobLeaseClient
from botbuilder.schema import Activity, ConversationAccount

from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from cloud_adapter.state.lock import (
    CONTAINER,
    LAST_LOOK,
    LONGEST_HOLD,
    ConversationLocks,
    conversation_name,
    within_a_hold,
)
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import LEASE_SECONDS, BlobContainer
from tests.support.storage.storage_front import StorageFront, answered, cut_after, cut_before
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

LEASE = f"PUT blob lease {CONTAINER}"
LONG = 60.0


def leased(account: StorageAccount) -> ConversationLocks:
    """A process's locks."""
    return ConversationLocks(BlobContainer(account, CONTAINER))


@pytest.fixture(params=["leases", "memory"])
def locks(request: pytest.FixtureRequest, account: StorageAccount) -> ConversationLocks:
    """Locks of each kind."""
    return leased(account) if request.param == "leases" else ConversationLocks()


@pytest.fixture
def other(account: StorageAccount) -> ConversationLocks:
    """Another process's, over the same account."""
    return leased(account)


@pytest.fixture
def far(far_account: StorageAccount) -> ConversationLocks:
    """Locks behind the front."""
    return leased(far_account)


@pytest.fixture
async def blob(storage: str) -> AsyncIterator[BlobClient]:
    """The blob whose lease decides about `c`."""
    async with BlobClient.from_connection_string(storage, CONTAINER, "c") as blob:
        yield blob


class Turn:
    """A turn in a conversation, in a task of its own, until it is told to end."""

    def __init__(self, locks: ConversationLocks, patience: float = LONG, name: str = "c") -> None:
        self.begun = asyncio.Event()
        self._end = asyncio.Event()
        self._locks = locks
        self.task = asyncio.create_task(self._run(name, patience))

    async def _run(self, name: str, patience: float) -> None:
        async with self._locks.hold(name, patience):
            self.begun.set()
            await self._end.wait()

    async def end(self) -> None:
        """Let it end, and wait for that."""
        self._end.set()
        await self.task


async def begun(locks: ConversationLocks) -> Turn:
    """A turn that holds the conversation."""
    turn = Turn(locks)
    await turn.begun.wait()
    return turn


async def is_free(locks: ConversationLocks, name: str = "c") -> bool:
    """Whether somebody who does not wait gets the conversation."""

    async def look() -> bool:
        try:
            async with locks.hold(name, 0):
                return True
        except ConversationBusy:
            return False

    return await asyncio.create_task(look())


# One at a time


async def test_turns_come_in_their_order(locks: ConversationLocks) -> None:
    """Within a process each has the conversation alone, in the order in which they asked."""
    order, inside = [], 0

    async def turn(number: int) -> None:
        nonlocal inside
        async with locks.hold("c", LONG):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            order.append(number)
            inside -= 1

    await asyncio.gather(*(turn(number) for number in range(30)))
    assert order == list(range(30))


async def test_other_conversations_do_not_wait(locks: ConversationLocks) -> None:
    """A turn of one conversation is nothing to another."""
    turn = await begun(locks)
    assert await is_free(locks, "other")
    assert await is_free(locks, "c/d")
    await turn.end()


async def test_processes_exclude_each_other(
    account: StorageAccount, other: ConversationLocks
) -> None:
    """With two processes over one account there is still one turn at a time; all get theirs."""
    inside = done = 0

    async def turn(locks: ConversationLocks) -> None:
        nonlocal inside, done
        async with locks.hold("c", LONG):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.001)
            inside -= 1
            done += 1

    one = leased(account)
    await asyncio.gather(*(turn(locks) for _ in range(8) for locks in (one, other)))
    assert done == 16
    assert await is_free(one)


async def test_no_patience(locks: ConversationLocks) -> None:
    """Who does not wait hears at once that it is held, and gets it when it is free."""
    assert await is_free(locks)
    turn = await begun(locks)
    assert not await is_free(locks)
    await turn.end()
    assert await is_free(locks)


async def test_no_patience_with_another_process(
    account: StorageAccount, other: ConversationLocks
) -> None:
    """The same between processes."""
    turn = await begun(leased(account))
    assert not await is_free(other)
    await turn.end()
    assert await is_free(other)


async def test_patience(locks: ConversationLocks, clock: MovedClock) -> None:
    """Who waits is told when his patience ends, not before; the turn goes on undisturbed."""
    turn = await begun(locks)
    waiting = Turn(locks, patience=8)
    await settled()
    clock.move(7.5)
    await settled()
    assert not waiting.task.done()
    clock.move(1)
    with pytest.raises(ConversationBusy, match="here"):
        await waiting.task
    assert not await is_free(locks)
    await turn.end()
    assert await is_free(locks)


async def test_patience_with_another_process(
    account: StorageAccount, other: ConversationLocks, clock: MovedClock
) -> None:
    """The same between processes, where looks at the lease become rarer."""
    turn = await begun(leased(account))
    with pytest.raises(ConversationBusy, match="elsewhere"):
        await Turn(other, patience=0.3).task
    waiting = Turn(other, patience=8)
    await settled()
    await turn.end()
    clock.move(LAST_LOOK)
    await waiting.begun.wait()
    await waiting.end()


async def test_an_error_ends_the_turn(locks: ConversationLocks, other: ConversationLocks) -> None:
    """A turn that raises gives the conversation back, as one that is cancelled does."""
    with pytest.raises(LookupError):
        async with locks.hold("c", 0):
            raise LookupError
    turn = await begun(locks)
    turn.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn.task
    assert await is_free(locks)
    assert await is_free(other)


async def test_nothing_is_left(locks: ConversationLocks) -> None:
    """Conversations that nobody holds or waits for are forgotten, whatever became of them."""
    turn = await begun(locks)
    waiting = [Turn(locks) for _ in range(3)]
    await settled()
    assert not await is_free(locks)
    waiting[1].task.cancel()
    await turn.end()
    await waiting[0].end()
    await waiting[2].end()
    for number in range(50):
        assert await is_free(locks, f"c{number}")
    assert locks._known == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


# Within a turn


async def test_a_turn_does_not_wait_for_itself(locks: ConversationLocks) -> None:
    """What runs within a turn has its conversation, however deep, and in tasks that it starts."""

    async def within() -> None:
        assert locks.held("c")
        assert not locks.held("d")
        async with locks.hold("c", 0), locks.hold("c", 0):
            pass
        assert locks.held("c")

    async with locks.hold("c", 0):
        assert within_a_hold()
        await within()
        await asyncio.gather(*(within() for _ in range(3)))
        assert not await asyncio.to_thread(locks.held, "d")
        assert await asyncio.to_thread(locks.held, "c")
    assert not locks.held("c")
    assert not within_a_hold()


async def test_a_task_that_outlives_its_turn(locks: ConversationLocks) -> None:
    """It has the conversation no longer, and must ask like everybody else."""
    goes_on = asyncio.Event()

    async def later() -> bool:
        await goes_on.wait()
        assert not locks.held("c")
        return await is_free(locks)

    async with locks.hold("c", 0):
        task = asyncio.create_task(later())
        await settled()
    turn = await begun(locks)
    goes_on.set()
    assert not await task
    await turn.end()


async def test_a_turn_that_goes_elsewhere(locks: ConversationLocks) -> None:
    """Back from another conversation, and even from within it, its own is still its own."""
    async with locks.hold("c", 0):
        async with locks.hold("d", 0):
            assert locks.held("c")
            assert locks.held("d")
            async with locks.hold("c", 0):
                pass
        assert locks.held("c")
        assert not locks.held("d")
        async with locks.hold("c", 0):
            pass
        assert await is_free(locks, "d")
    assert not locks.held("c")


# Leases


async def test_a_lease_is_kept_for_who_waits_here(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """Turns that wait in the same process take over without a request; the last gives it back."""
    turns = [await begun(far), *(Turn(far) for _ in range(4))]
    await settled()
    before = len(front.calls)
    for turn in turns[:-1]:
        await turn.end()
    await turns[-1].begun.wait()
    assert len(front.calls) == before
    assert not await is_free(other)
    await turns[-1].end()
    assert await is_free(other)


async def test_a_lease_is_not_kept_for_ever(
    account: StorageAccount, other: ConversationLocks, clock: MovedClock
) -> None:
    """A process with ever more turns lets another one have the conversation in between."""
    locks = leased(account)
    first = await begun(locks)
    second, elsewhere = Turn(locks), Turn(other)
    await settled()
    clock.move(LONGEST_HOLD + 0.1)
    await settled()
    first._end.set()
    await first.task
    await comes_true(lambda: second.begun.is_set() or elsewhere.begun.is_set())
    for turn in (second, elsewhere):
        turn._end.set()
    clock.move(LAST_LOOK)
    await second.task
    await elsewhere.task


async def test_giving_away_needs_the_lease(
    far: ConversationLocks, front: StorageFront, clock: MovedClock
) -> None:
    """After LONGEST_HOLD the lease is given back, and taken anew by the turn that waits here."""
    first = await begun(far)
    second = Turn(far)
    await settled()
    clock.move(LONGEST_HOLD + 0.1)
    before = front.count(LEASE)
    await first.end()
    await second.begun.wait()
    # One renewal may have come in between.
    assert front.count(LEASE) - before >= 2
    await second.end()


async def test_a_waiter_that_goes_away(account: StorageAccount, other: ConversationLocks) -> None:
    """A lease that was kept for a turn that is cancelled meanwhile is given back all the same."""
    locks = leased(account)
    holds, ends = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with locks.hold("c", 0):
            holds.set()
            await ends.wait()
        second.task.cancel()  # it has been woken up, but has not run yet

    turn = asyncio.create_task(first())
    await holds.wait()
    second = Turn(locks)
    await settled()
    ends.set()
    await turn
    with pytest.raises(asyncio.CancelledError):
        await second.task
    assert await is_free(other)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_renewal(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront, clock: MovedClock
) -> None:
    """A long turn's lease is renewed three times in its life."""
    turn = await begun(far)
    for number in range(1, 6):
        before = front.count(LEASE)
        await settled()
        clock.move(LEASE_SECONDS / 3)
        await comes_true(lambda before=before: front.count(LEASE) > before)  # type: ignore[misc]
        assert front.count(LEASE) == number + 1 + 1  # the first found no blob
    assert not await is_free(other)
    await turn.end()
    assert await is_free(other)


async def test_a_lost_lease(
    account: StorageAccount,
    other: ConversationLocks,
    blob: BlobClient,
    clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A turn whose lease another one got is not stopped: the log has it, state is safe."""
    turn = await begun(leased(account))
    await BlobLeaseClient(blob).break_lease(0)
    theirs = await begun(other)
    clock.move(LEASE_SECONDS / 3)
    await comes_true(lambda: "lease has gone to another process" in caplog.text)
    left = asyncio.all_tasks() - {asyncio.current_task(), turn.task, theirs.task}
    assert len(left) == 1  # the other one's renewal; this turn's is pointless by now
    await turn.end()
    assert not await is_free(leased(account))  # what another one has is not given back
    await theirs.end()


async def test_a_renewal_that_fails(
    far: ConversationLocks,
    other: ConversationLocks,
    front: StorageFront,
    clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is tried again; the turn goes on."""
    turn = await begun(far)
    front.spoil(LEASE, answered(403), times=1)
    clock.move(LEASE_SECONDS / 3)
    await comes_true(lambda: "lease is not renewed" in caplog.text)
    before = front.count(LEASE)
    await settled()
    clock.move(LEASE_SECONDS / 3)
    await comes_true(lambda: front.count(LEASE) > before)
    await turn.end()
    assert await is_free(other)


async def test_a_release_that_fails(
    far: ConversationLocks, front: StorageFront, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn is made; the conversation waits until the lease ends by itself."""
    turn = await begun(far)
    front.spoil(LEASE, cut_before)
    await turn.end()
    assert f"waits {LEASE_SECONDS} s for its next turn" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("status", [403, 500])
async def test_a_lease_that_cannot_be_asked_for(
    far: ConversationLocks, front: StorageFront, status: int
) -> None:
    """The turn does not begin, and nothing of it stays."""
    front.spoil(LEASE, answered(status))
    with pytest.raises(StorageUnavailable, match="storage account"):
        await Turn(far).task
    assert far._known == {}
    front.heal()
    assert await is_free(far)


async def test_a_lease_whose_answer_is_lost(
    far: ConversationLocks, other: ConversationLocks, front: StorageFront
) -> None:
    """The second attempt gets what the first one took."""
    assert await is_free(far)
    front.spoil(LEASE, cut_after, times=1)
    turn = await begun(far)
    assert not await is_free(other)
    await turn.end()
    assert await is_free(other)


async def test_a_process_that_died(account: StorageAccount, other: ConversationLocks) -> None:
    """Its lease is one of the shortest kind, so that its conversation waits 15 seconds."""
    blobs = BlobContainer(account, CONTAINER)
    assert await blobs.lease("c", "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11")
    found = await (await account.blobs()).get_blob_client(CONTAINER, "c").get_blob_properties()
    assert found.lease.duration == "fixed"
    assert LEASE_SECONDS == 15
    with pytest.raises(ConversationBusy):
        await Turn(other, patience=0.1).task


# Names


def activity(**changes: Any) -> Activity:
    """An activity's address."""
    facts = {"channel_id": "webchat", "conversation": "c", **changes}
    conversation = ConversationAccount(id=facts["conversation"])
    return Activity(channel_id=facts["channel_id"], conversation=conversation)


def test_names_of_conversations() -> None:
    """A conversation is one of its channel's, and its name a part of a blob's."""
    assert conversation_name(activity()) == "webchat~2Fc"
    names = {
        conversation_name(activity(channel_id=channel, conversation=conversation))
        for channel in ("a", "b", "A")
        for conversation in ("c", "b/c", "C", "c" * 1000)
    }
    assert len(names) == 12
    assert not any("/" in name for name in names)
