"""Queued turns while storage fails: nothing is lost, whichever request is the first to fail."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from cloud_adapter.errors import StorageUnavailable, TurnFailed, TurnRepeated
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.stored_activity import DONE, FAILED, WAITING
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.state.stored_json import CONTAINER as STATE
from tests.support.bots.queued_turns import QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import Fault, StorageFront, answered, cut_after, cut_before


@pytest.mark.parametrize("fault", [answered(403), answered(500), cut_before])
@pytest.mark.parametrize("call", ["PUT blob bot-turns", "POST queue"])
async def test_an_activity_that_cannot_be_stored(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, call: str, fault: Fault
) -> None:
    """The channel gets an error; when it sends the activity again, it is processed once."""
    front.spoil(call, fault)
    with pytest.raises(StorageUnavailable):
        await far.accept(content())
    front.heal()
    assert await messages.count() == 0
    await far.accept(content())
    for message in await messages.taken():
        await far.wake_up(message)
    assert far.runs == ["a"]


@pytest.mark.parametrize("skip", range(12))
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
    for message in await messages.taken():
        await far.wake_up(message)
    front.spoil("", fault, skip=skip)
    try:
        await far.accept(content())
    except StorageUnavailable:
        front.heal()
        await far.accept(content())
    (message, *_) = await messages.taken()
    was_handled = True
    try:
        await far.wake_up(message)
    except StorageUnavailable:
        was_handled = False
    front.heal()
    if not was_handled or await messages.count():
        await messages.clear()
        await break_leases(storage)
        await far.wake_up(message, 1 if was_handled else 2)
    assert far.runs[1:] in (["a"], ["a", "a"])
    assert await far.state() == (DONE, 0)


async def break_leases(storage: str) -> None:
    """End the leases that could not be released, which would expire in 15 seconds."""
    async with ContainerClient.from_connection_string(storage, STATE) as container:
        async for entry in container.list_blobs():
            try:
                await BlobLeaseClient(container.get_blob_client(entry.name)).break_lease(0)
            except HttpResponseError:
                continue


async def test_unavailable_blobs(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """While only queues work, a message is put back: the host must not count it as poison."""
    await far.accept(content())
    (message,) = await messages.taken()
    front.spoil("GET blob metadata", answered(503))
    await far.wake_up(message)
    assert await messages.count() == 1
    front.heal()
    await far.wake_up(WakeUp.parse(message).next(1).text)
    assert far.runs == ["a"]


async def test_a_processed_activity_that_cannot_be_finished(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """It is processed again, which state recognizes."""
    await far.accept(content())
    (message,) = await messages.taken()
    front.spoil("PUT blob bot-turns", answered(503))
    await far.wake_up(message)
    assert await messages.count() == 1
    front.heal()
    far.script["a"] = [TurnRepeated("processed already")]
    await far.wake_up(WakeUp.parse(message).next(1).text)
    assert far.runs == ["a", "a"]
    assert await far.state() == (DONE, 0)


@pytest.mark.parametrize("call", ["POST queue", "PUT blob bot-turns"])
async def test_an_activity_that_cannot_be_dead_lettered(
    far: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    poison: QueueMessages,
    call: str,
) -> None:
    """It is never set aside without a message in the poison queue."""
    far.script["a"] = [LookupError()] * 9
    await far.accept(content())
    (message,) = await messages.taken()
    for attempts in range(1, MAX_ATTEMPTS):
        with pytest.raises(TurnFailed):
            await far.wake_up(message, attempts)
    front.spoil(call, answered(403))
    try:
        await far.wake_up(message, MAX_ATTEMPTS)
    except StorageUnavailable:
        assert call == "POST queue"
    front.heal()
    assert (await far.state())[0] == WAITING
    await far.wake_up(message, MAX_ATTEMPTS)
    assert (await far.state())[0] == FAILED
    assert set(await poison.taken()) == {WakeUp(name_of()).text}
