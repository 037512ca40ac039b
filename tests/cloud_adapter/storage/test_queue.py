"""MessageQueue: messages as the Functions host reads them, taken, given back and deleted."""

import asyncio
import base64

import pytest
from azure.storage.queue.aio import QueueClient

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import FOR_EVER, LARGEST_MESSAGE, MessageQueue
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered, cut_after, cut_before

TEXTS = ["hello", "", "é 😀", "<b>&amp;</b>", "\x00\n", '{"activity": "c/a"}', "aGVsbG8="]


@pytest.fixture
def queue(account: StorageAccount) -> MessageQueue:
    """A queue that is not there yet."""
    return MessageQueue(account, "work")


async def taken(queue: MessageQueue) -> list[str]:
    """The texts of all that can be seen."""
    return [message.text async for message in queue.take()]


async def test_texts_come_back(queue: MessageQueue) -> None:
    """Whatever text, in the order in which it was put in."""
    assert await taken(queue) == []
    for text in TEXTS:
        await queue.put(text)
    assert await taken(queue) == TEXTS
    assert await taken(queue) == []  # for a minute they are somebody's


async def test_the_host_s_encoding(queue: MessageQueue, storage: str) -> None:
    """A message is base64 of UTF-8, and stays until it is done."""
    await queue.put("é")
    async with QueueClient.from_connection_string(storage, "work") as raw:
        (message,) = [each async for each in raw.receive_messages()]
        assert base64.b64decode(message.content).decode() == "é"
        assert message.expires_on
        assert message.expires_on.year == 9999
    assert FOR_EVER == -1


async def test_the_largest(queue: MessageQueue) -> None:
    """As much as a queue takes is taken, and a byte more refused before it is sent."""
    await queue.put("x" * LARGEST_MESSAGE)
    with pytest.raises(ValueError, match=f"{LARGEST_MESSAGE} bytes"):
        await queue.put("é" + "x" * (LARGEST_MESSAGE - 1))
    assert await taken(queue) == ["x" * LARGEST_MESSAGE]


async def test_a_delay(queue: MessageQueue, storage: str) -> None:
    """A message for later is there, and not yet to be seen."""
    await queue.put("later", 30)
    await queue.put("now")
    assert await taken(queue) == ["now"]
    assert await QueueMessages(storage, "work").count() == 2


async def test_many_make_the_queue(queue: MessageQueue) -> None:
    """Many first messages at once do not get in each other's way, and all are found."""
    texts = [f"{number}" for number in range(100)]
    await asyncio.gather(*(queue.put(text) for text in texts))
    assert sorted(await taken(queue)) == sorted(texts)


async def test_giving_back_and_deleting(queue: MessageQueue) -> None:
    """A message that is given back is seen at once, one that is deleted never again."""
    for text in ("a", "b"):
        await queue.put(text)
    one, other = [message async for message in queue.take()]
    await queue.give_back(one)
    await queue.delete(other)
    assert await taken(queue) == ["a"]


@pytest.mark.parametrize("content", ["hello", "no base64!", "/w==", "é", "", "YQ"])
async def test_what_others_put_in(queue: MessageQueue, storage: str, content: str) -> None:
    """A message in another encoding is handed out as it is."""
    await queue.put("x")
    await taken(queue)
    await QueueMessages(storage, "work").put(content)
    assert await taken(queue) == [content]


@pytest.mark.parametrize("fault", [answered(403), answered(500), answered(400), cut_before])
async def test_a_queue_that_does_not_answer(
    far_account: StorageAccount, front: StorageFront, fault: object
) -> None:
    """Each of its calls tells so."""
    queue = MessageQueue(far_account, "work")
    await queue.put("x")
    (message,) = [message async for message in queue.take()]
    front.spoil("", fault)  # type: ignore[arg-type]  # one of StorageFront's
    for work in (queue.put("y"), taken(queue), queue.give_back(message), queue.delete(message)):
        with pytest.raises(StorageUnavailable):
            await work


async def test_a_message_whose_answer_is_lost(
    far_account: StorageAccount, front: StorageFront
) -> None:
    """It is there twice rather than not at all."""
    queue = MessageQueue(far_account, "work")
    await queue.put("x")
    front.spoil("POST queue", cut_after, times=1)
    await queue.put("y")
    assert await taken(queue) == ["x", "y", "y"]
