"""Queued turns while storage fails or processes die: nothing is lost, whenever it happens."""

import contextlib

import pytest

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.inbox import FAILED, RUNNING
from cloud_adapter.queued.set_aside import CONTAINER
from cloud_adapter.queued.wake_up import BACKOFF, WakeUp
from tests.support.bots.queued_turns import QueuedTurnsBot, content, name_of
from tests.support.storage.broken_leases import break_leases
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import (
    Fault,
    StorageFront,
    after,
    answered,
    cut_after,
)


@pytest.mark.parametrize("call", ["PUT blob appendblock", "POST queue"])
async def test_an_activity_that_cannot_be_stored(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, call: str
) -> None:
    """The channel gets an error; when it sends the activity again, it is processed once."""
    await far.accept(content("before"))
    front.spoil(call, answered(403))
    with pytest.raises(StorageUnavailable):
        await far.accept(content())
    front.heal()
    await far.accept(content())
    await far.settle(messages)
    assert far.runs == ["before", "a"]


@pytest.mark.parametrize("skip", range(9))
@pytest.mark.parametrize("fault", [answered(403), cut_after])
async def test_a_fault_at_each_step(
    far: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    storage: str,
    skip: int,
    fault: Fault,
) -> None:
    """Whichever request of enqueuing and draining is the first to fail, no turn is lost.

    The channel sends the activity until it is accepted. The host delivers a message again that was
    not handled; one that was handled is gone, unless another one was put in its place.
    """
    await far.accept(content("before"))  # containers and queues exist
    await far.settle(messages)
    front.spoil("", fault, skip=skip)
    try:
        await far.accept(content())
    except StorageUnavailable:
        front.heal()
        await far.accept(content())
    (message, *_) = await messages.taken()
    try:
        await far.wake_up(message)
    except StorageUnavailable:
        front.heal()
        await break_leases(storage)
        await far.wake_up(message, 2)
    front.heal()
    await break_leases(storage)
    await far.settle(messages)
    assert far.runs[1:] in (["a"], ["a", "a"])
    assert await far.count() == 2


async def test_unavailable_blobs(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """While only queues work, a message is put back: the host must not count it as poison."""
    await far.accept(content())
    (message,) = await messages.taken()
    front.spoil("PUT blob lease", answered(503))
    await far.wake_up(message)
    assert far.queue.delays[-1] == BACKOFF.pause(1)
    front.heal()
    await far.settle(messages)
    assert far.runs == ["a"]


async def test_an_activity_that_is_set_aside(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """Its wake-up message is put when its blob is written: whoever reads it finds the blob."""
    far.script["a"] = [LookupError()]
    await far.accept(content())
    (message,) = await messages.taken()
    seen: list[int] = []

    async def look() -> None:
        seen.append(await messages.count())

    front.spoil(f"PUT blob {CONTAINER}", after(look))
    await far.wake_up(message)
    assert seen == [0]
    assert await messages.count() == 1


@pytest.mark.parametrize("call", [f"PUT blob {CONTAINER}", "POST queue"])
async def test_an_activity_that_cannot_be_set_aside(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, call: str
) -> None:
    """Its position does not move until it has a blob and a wake-up message."""
    far.script["a"] = [LookupError()] * 2
    await far.accept(content())
    (message,) = await messages.taken()
    front.spoil(call, answered(403))
    with contextlib.suppress(StorageUnavailable):
        await far.wake_up(message)
    front.heal()
    await far.wake_up(message, 2)
    await far.settle(messages)
    assert far.runs == ["a"] * 3
    assert await far.count() == 1


@pytest.mark.parametrize("call", ["POST queue", f"PUT blob {CONTAINER}"])
async def test_an_activity_that_cannot_be_dead_lettered(
    far: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    poison: QueueMessages,
    call: str,
) -> None:
    """It is never a dead letter without a message in the poison queue."""
    far.script["a"] = [LookupError()] * 9
    await far.accept(content())
    for _ in range(MAX_ATTEMPTS - 1):
        for message in await messages.taken():
            await far.wake_up(message)
    (message,) = await messages.taken()
    # Before the attempt, it is counted: the first write.
    front.spoil(call, answered(403), skip=call.startswith("PUT"))
    with contextlib.suppress(StorageUnavailable):
        await far.wake_up(message)
    front.heal()
    assert await far.set_aside_state() == (RUNNING, MAX_ATTEMPTS)
    await far.wake_up(WakeUp(name_of()).text)
    assert await far.set_aside_state() == (FAILED, MAX_ATTEMPTS)
    assert set(await poison.taken()) == {WakeUp(name_of()).text}
