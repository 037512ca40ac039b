"""ConversationLocks: one turn of a conversation at a time, and no turn that waits for itself."""

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest
from botbuilder.schema import Activity, ConversationAccount

from cloud_adapter.errors import ConversationBusy
from cloud_adapter.state.lock import (
    BACKOFF,
    ConversationLocks,
    conversation_name,
    held_locks,
)
from cloud_adapter.state.stored_state import CONTAINER, EMPTY_STATE
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer, MemoryContainer
from tests.support.storage.storage_front import StorageFront, after
from tests.support.timing.locked_turn import LONG, LockedTurn, is_free
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock


@pytest.fixture
async def process(account: StorageAccount) -> Callable[[], ConversationLocks]:
    """Makes the locks of a process: all processes share the account. The conversation is known."""
    await BlobContainer(account, CONTAINER).write("c", EMPTY_STATE, None)
    return lambda: ConversationLocks(BlobContainer(account, CONTAINER))


@pytest.fixture(params=["leases", "memory"])
async def locks(
    request: pytest.FixtureRequest, process: Callable[[], ConversationLocks]
) -> ConversationLocks:
    """Locks with and without a storage account."""
    if request.param == "leases":
        return process()
    blobs = MemoryContainer()
    await blobs.write("c", EMPTY_STATE, None)
    return ConversationLocks(blobs)


async def test_turns_run_in_their_order(locks: ConversationLocks) -> None:
    """Within a process each has the lock alone, in the order in which they asked for it."""
    order, running = [], 0

    async def turn(number: int) -> None:
        nonlocal running
        async with locks.lock("c", LONG):
            running += 1
            assert running == 1
            await asyncio.sleep(0)
            order.append(number)
            running -= 1

    await asyncio.gather(*(turn(number) for number in range(30)))
    assert order == list(range(30))


async def test_other_conversations_do_not_wait(locks: ConversationLocks) -> None:
    """A lock is one conversation's."""
    turn = await LockedTurn.start(locks)
    assert await is_free(locks, "other")
    assert await is_free(locks, "c/d")
    await turn.end()


async def test_processes_exclude_each_other(process: Callable[[], ConversationLocks]) -> None:
    """Two processes over one account run one turn at a time, and every turn runs."""
    running = done = 0

    async def turn(locks: ConversationLocks) -> None:
        nonlocal running, done
        async with locks.lock("c", LONG):
            running += 1
            assert running == 1
            await asyncio.sleep(0.001)
            running -= 1
            done += 1

    one, other = process(), process()
    await asyncio.gather(*(turn(locks) for _ in range(8) for locks in (one, other)))
    assert done == 16
    await other.close()
    assert await is_free(one)


async def test_a_new_conversation(front: StorageFront, far_account: StorageAccount) -> None:
    """Its first turn does not wait for a lease, and can make sure that it has got one."""
    one, other = (ConversationLocks(BlobContainer(far_account, CONTAINER)) for _ in range(2))
    both, begun, results = asyncio.Barrier(2), asyncio.Event(), []
    front.spoil("PUT blob bot-state", after(begun.wait))  # no lease before both have begun

    async def turn(locks: ConversationLocks) -> None:
        async with locks.lock("new", 0) as held:
            await both.wait()
            begun.set()
            try:
                await held.confirm()
                results.append(True)
            except ConversationBusy:
                results.append(False)
            await both.wait()

    await asyncio.gather(turn(one), turn(other))
    assert sorted(results) == [False, True]
    await asyncio.gather(one.close(), other.close())
    assert await is_free(one, "new")
    assert await is_free(other, "new")


async def test_a_turn_that_does_not_wait(
    locks: ConversationLocks, process: Callable[[], ConversationLocks]
) -> None:
    """It is refused at once while another turn runs, in this process or in another."""
    one = process()
    for holder, asker in ((locks, locks), (one, process())):
        assert await is_free(asker)
        turn = await LockedTurn.start(holder)
        assert not await is_free(asker)
        await turn.end()
        assert await is_free(asker)


async def test_a_lock_timeout(locks: ConversationLocks, clock: MovedClock) -> None:
    """A waiting turn is refused after its timeout, not earlier; the running turn continues."""
    turn = await LockedTurn.start(locks)
    with clock.stopped():
        waiting = LockedTurn(locks, lock_timeout=8)
        await settled()
        clock.move(7.5)
        await settled()
        assert not waiting.task.done()
    clock.move(1)
    with pytest.raises(ConversationBusy, match="running in this process"):
        await waiting.task
    assert not await is_free(locks)
    await turn.end()
    assert await is_free(locks)


async def test_a_lock_timeout_between_processes(
    process: Callable[[], ConversationLocks], clock: MovedClock
) -> None:
    """The same, where attempts to acquire the lease become rarer."""
    one, other = process(), process()
    turn = await LockedTurn.start(one)
    with pytest.raises(ConversationBusy, match="running in another process"):
        await LockedTurn(other, lock_timeout=0.3).task
    waiting = LockedTurn(other)
    await settled()
    await turn.end()
    clock.move(BACKOFF.longest)
    await waiting.started.wait()
    await waiting.end()


async def test_an_error_unlocks(
    locks: ConversationLocks, process: Callable[[], ConversationLocks]
) -> None:
    """A turn that raises or is cancelled unlocks the conversation, for other processes too."""
    with pytest.raises(LookupError):
        async with locks.lock("c", 0):
            raise LookupError
    turn = await LockedTurn.start(locks)
    turn.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn.task
    assert await is_free(locks)
    assert await is_free(process())


class _Name(str):
    """A conversation's name, to which a weak reference is possible."""

    __slots__ = ("__weakref__",)


async def test_unlocked_conversations_are_forgotten(locks: ConversationLocks) -> None:
    """Once no turn has or awaits a lock, nothing refers to its conversation; no task is left."""
    name = _Name("c")
    reference = weakref.ref(name)
    turns = [await LockedTurn.start(locks, name), *(LockedTurn(locks, name=name) for _ in range(3))]
    await settled()
    assert not await is_free(locks, name)
    turns[2].task.cancel()
    for turn in (turns[0], turns[1], turns[3]):
        await turn.end()
    del name, turn, turns
    await settled()
    gc.collect()
    assert reference() is None
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_turn_does_not_wait_for_itself(locks: ConversationLocks) -> None:
    """Code within a turn owns its lock, however deep, and in the tasks that it starts."""

    async def within() -> None:
        assert held_locks().keys() == {"c"}
        async with locks.lock("c", 0), locks.lock("c", 0):
            pass
        assert held_locks().keys() == {"c"}

    async with locks.lock("c", 0):
        await within()
        await asyncio.gather(*(within() for _ in range(3)))
        assert (await asyncio.to_thread(held_locks)).keys() == {"c"}
    assert held_locks() == {}


async def test_a_task_that_outlives_its_turn(locks: ConversationLocks) -> None:
    """It owns the lock no longer, and waits for it as every other turn."""
    turn_ended = asyncio.Event()

    async def later() -> bool:
        await turn_ended.wait()
        assert held_locks() == {}
        return await is_free(locks)

    async with locks.lock("c", 0):
        task = asyncio.create_task(later())
        await settled()
    turn = await LockedTurn.start(locks)
    turn_ended.set()
    assert not await task
    await turn.end()


async def test_a_turn_within_another_conversation_s(locks: ConversationLocks) -> None:
    """It owns both locks, and once it has ended the outer turn's alone."""
    async with locks.lock("c", 0):
        async with locks.lock("d", 0):
            assert held_locks().keys() == {"c", "d"}
            async with locks.lock("c", 0):
                pass
        assert held_locks().keys() == {"c"}
        async with locks.lock("c", 0):
            pass
        assert await is_free(locks, "d")
    assert held_locks() == {}


async def test_a_task_of_an_inner_turn(locks: ConversationLocks) -> None:
    """A task that outlives an inner turn still owns the outer turn's lock."""
    inner_ended = asyncio.Event()

    async def later() -> set[str]:
        await inner_ended.wait()
        async with locks.lock("e", 0):
            return set(held_locks())

    async with locks.lock("c", 0):
        async with locks.lock("d", 0):
            task = asyncio.create_task(later())
            await settled()
        inner_ended.set()
        assert await task == {"c", "e"}


async def test_what_is_read_beside_the_state(locks: ConversationLocks) -> None:
    """It is read whether the lock is acquired, taken over, or the turn's own already."""
    reads = 0

    async def meanwhile() -> None:
        nonlocal reads
        reads += 1

    for number in (1, 3):
        async with locks.lock("c", 0, meanwhile):
            assert reads == number
            async with locks.lock("c", 0, meanwhile):
                assert reads == number + 1
    await locks.close()


async def test_what_a_locked_conversation_s_state_is(locks: ConversationLocks) -> None:
    """It is what was last read, written or deleted in this process."""
    async with locks.lock("c", 0) as held:
        assert held.blob
        assert held.blob.content == EMPTY_STATE
        etag = await locks.write("c", b'{"x":1}', held.blob.etag)
        assert (held.blob.content, held.blob.etag) == (b'{"x":1}', etag)
        await locks.delete("c")
        assert held.blob is None


def test_names_of_conversations() -> None:
    """A name identifies a channel's conversation, and is one part of a blob's name."""

    def name(channel_id: str, conversation: str) -> str:
        account = ConversationAccount(id=conversation)
        return conversation_name(Activity(channel_id=channel_id, conversation=account))

    assert name("webchat", "c") == "webchat~2Fconversations~2Fc"
    names = {
        name(channel, conversation)
        for channel in ("a", "b", "A")
        for conversation in ("c", "b/c", "C", "c" * 1000)
    }
    assert len(names) == 12
    assert not any("/" in each for each in names)
