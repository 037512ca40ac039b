"""Queued turns while storage fails or processes die: nothing is lost, whenever it happens."""

import asyncio
import contextlib

import pytest
from aiohttp.web import StreamResponse
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.attempts import MAX_ATTEMPTS
from cloud_adapter.queued.set_aside import CONTAINER
from cloud_adapter.queued.stored_activity import FAILED, WAITING
from cloud_adapter.queued.wake_up import BACKOFF, WakeUp
from cloud_adapter.state.loaded_state import LoadedState
from cloud_adapter.state.stored_json import CONTAINER as STATE
from tests.support.bots.queued_turns import CONVERSATION, QueuedTurnsBot, content, id_of, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import (
    Fault,
    Pass,
    Passage,
    StorageFront,
    answered,
    cut_after,
    cut_before,
)


async def break_leases(storage: str) -> None:
    """End the leases that were not released, which would expire in 15 seconds."""
    async with ContainerClient.from_connection_string(storage, STATE) as container:
        with contextlib.suppress(ResourceNotFoundError):
            async for entry in container.list_blobs():
                with contextlib.suppress(HttpResponseError):
                    await BlobLeaseClient(container.get_blob_client(entry.name)).break_lease(0)


async def settle(process: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Handle wake-up messages until there are none, as a host does that never fails."""
    while texts := await messages.taken():
        for text in texts:
            await process.wake_up(text)


@pytest.mark.parametrize("fault", [answered(403), answered(500), cut_before])
@pytest.mark.parametrize("call", ["PUT blob appendblock", "POST queue"])
async def test_an_activity_that_cannot_be_stored(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, call: str, fault: Fault
) -> None:
    """The channel gets an error; when it sends the activity again, it is processed once."""
    await far.accept(content("before"))
    front.spoil(call, fault)
    with pytest.raises(StorageUnavailable):
        await far.accept(content())
    front.heal()
    await far.accept(content())
    await settle(far, messages)
    assert far.runs == ["before", "a"]


@pytest.mark.parametrize("skip", range(9))
@pytest.mark.parametrize("fault", [answered(403), cut_before, cut_after])
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
    await settle(far, messages)
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
    await settle(far, messages)
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
    await settle(far, messages)
    assert far.runs == ["a"]


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
    await settle(far, messages)
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
    assert await far.set_aside_state() == (WAITING, MAX_ATTEMPTS)
    await far.wake_up(WakeUp(name_of()).text)
    assert await far.set_aside_state() == (FAILED, MAX_ATTEMPTS)
    assert set(await poison.taken()) == {WakeUp(name_of()).text}


class Death:
    """A fault that ends a process: none of its requests is answered any more.

    Args:
        is_done: the request at which the process ends is carried out.

    Attributes:
        is_over: the process has ended.
    """

    def __init__(self, *, is_done: bool) -> None:
        self.is_over = asyncio.Event()
        self._is_done = is_done

    async def __call__(self, passage: Passage, passed: Pass) -> StreamResponse:
        """The fault."""
        is_first = not self.is_over.is_set()
        self.is_over.set()
        if self._is_done and is_first:
            await passed()
        return passage.cut()


class Story:
    """What a process does until it dies. The turn of `a` takes over `d`; that of `c` raises.

    Args:
        process: the process.
        messages: its wake-up messages.

    Attributes:
        accepted: ids of the activities that were answered 202.
        pending: wake-up messages that were received, and not handled.
    """

    def __init__(self, process: QueuedTurnsBot, messages: QueueMessages) -> None:
        self.accepted: list[str] = []
        self.pending: list[str] = []
        self._process = process
        self._messages = messages
        process.script.update({"a": [self._accept_more], "c": [LookupError()] * 2})

    async def run(self) -> None:
        """Accept activities, and process them."""
        for each in "abc":
            await self._accept(each)
        while True:
            self.pending = await self._messages.taken()
            if not self.pending:
                return
            while self.pending:
                await self._process.wake_up(self.pending[0])
                self.pending.pop(0)

    async def _accept_more(self) -> None:
        await self._accept("d")

    async def _accept(self, activity_id: str) -> None:
        await self._process.accept(content(activity_id))
        self.accepted.append(activity_id)


REQUESTS = 40
"""How many requests the story has, or a few more."""


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("skip", range(REQUESTS))
async def test_a_death_at_each_step(
    far: QueuedTurnsBot,
    other: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    poison: QueueMessages,
    storage: str,
    skip: int,
    is_done: bool,
) -> None:
    """Whichever request is a process's last one, another process does the rest, and all of it."""
    death = Death(is_done=is_done)
    front.spoil("", death, skip=skip)
    story = Story(far, messages)
    telling = asyncio.create_task(story.run())
    ended = asyncio.create_task(death.is_over.wait())
    await asyncio.wait({telling, ended}, return_when=asyncio.FIRST_COMPLETED)
    for each in (telling, ended):
        each.cancel()
        with contextlib.suppress(asyncio.CancelledError, StorageUnavailable):
            await each
    await break_leases(storage)
    for dequeue_count, message in zip([2, *[1] * 9], story.pending, strict=False):
        await other.wake_up(message, dequeue_count)
    await settle(other, messages)
    state = LoadedState(await other.states.read(CONVERSATION))
    processed = [each for each in "abcd" if id_of(each) in state.turn_ids]
    assert set(story.accepted) <= set(processed)
    assert await other.count() == len(state.turn_ids) == len(processed)
    in_order = [each for each in map(id_of, "abd") if each in state.turn_ids]
    assert [each for each in state.turn_ids if each != id_of("c")] == in_order
    assert await poison.count() == 0
    assert death.is_over.is_set() or skip > REQUESTS - 5
