"""MessageQueue: messages are put, received, released and deleted."""

import asyncio

import pytest

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import MAX_MESSAGE_BYTES, MessageQueue
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import Fault, StorageFront, answered, cut_after, cut_before

TEXTS = ["hello", "", "é 😀", "<b>&amp;</b>", "\x00\n", '{"activity": "c/a"}', "aGVsbG8="]


@pytest.fixture
def queue(account: StorageAccount) -> MessageQueue:
    """A queue that does not exist yet."""
    return MessageQueue(account, "work")


async def received(queue: MessageQueue) -> list[str]:
    """The texts of all visible messages."""
    return [message.text async for message in queue.receive_all()]


async def test_messages_are_received_as_they_were_put(queue: MessageQueue) -> None:
    """Any text, in the order in which it was put, and by one receiver at a time."""
    assert await received(queue) == []
    for text in TEXTS:
        await queue.put(text)
    assert await received(queue) == TEXTS
    assert await received(queue) == []


async def test_the_largest_message(queue: MessageQueue) -> None:
    """A message of MAX_MESSAGE_BYTES is stored; one with a byte more is refused unsent."""
    await queue.put("x" * MAX_MESSAGE_BYTES)
    with pytest.raises(ValueError, match=f"{MAX_MESSAGE_BYTES} bytes"):
        await queue.put("é" + "x" * (MAX_MESSAGE_BYTES - 1))
    assert await received(queue) == ["x" * MAX_MESSAGE_BYTES]


async def test_a_delay(queue: MessageQueue, storage: str) -> None:
    """A delayed message is in the queue, but not visible yet."""
    await queue.put("later", 30)
    await queue.put("now")
    assert await received(queue) == ["now"]
    assert await QueueMessages(storage, "work").count() == 2


async def test_many_first_messages(queue: MessageQueue) -> None:
    """A hundred concurrent messages create the queue once, and none is lost."""
    texts = [f"{number}" for number in range(100)]
    await asyncio.gather(*(queue.put(text) for text in texts))
    assert sorted(await received(queue)) == sorted(texts)


async def test_releasing_and_deleting(queue: MessageQueue) -> None:
    """A released message is visible at once, and has its count; a deleted one is gone."""
    for text in ("a", "b"):
        await queue.put(text)
    one, other = [message async for message in queue.receive_all()]
    await queue.hide(one, 0)
    await queue.delete(other)
    (again,) = [message async for message in queue.receive_all()]
    assert (again.id, again.text, again.dequeue_count) == (one.id, "a", 2)


@pytest.mark.parametrize("content", ["hello", "no base64!", "aGVs bG8=", "/w==", "é", "", "YQ"])
async def test_messages_of_others(queue: MessageQueue, storage: str, content: str) -> None:
    """A message in another encoding is received as it is."""
    await queue.put("x")
    await received(queue)
    await QueueMessages(storage, "work").put(content)
    assert await received(queue) == [content]


@pytest.mark.parametrize("fault", [answered(403), answered(500), answered(400), cut_before])
async def test_an_account_that_does_not_answer(
    far_account: StorageAccount, front: StorageFront, fault: Fault
) -> None:
    """Every call raises StorageUnavailable."""
    queue = MessageQueue(far_account, "work")
    await queue.put("x")
    (message,) = [message async for message in queue.receive_all()]
    front.spoil("", fault)
    for work in (queue.put("y"), received(queue), queue.hide(message, 0), queue.delete(message)):
        with pytest.raises(StorageUnavailable):
            await work


async def test_a_lost_answer(far_account: StorageAccount, front: StorageFront) -> None:
    """The message is put twice rather than not at all."""
    queue = MessageQueue(far_account, "work")
    await queue.put("x")
    front.spoil("POST queue", cut_after, times=1)
    await queue.put("y")
    assert await received(queue) == ["x", "y", "y"]
