"""held: a function that takes long has its message for seconds at a time, and deletes it itself."""

import asyncio
import logging
from collections.abc import Mapping

import pytest
from aiohttp.web import StreamResponse
from azure.core.exceptions import HttpResponseError
from azure.storage.queue.aio import QueueClient

from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import (
    HIDDEN_SECONDS,
    RENEWAL_SECONDS,
    TAKE_OVER_SECONDS,
    MessageQueue,
    ReceivedMessage,
    held,
)
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import (
    Pass,
    Passage,
    StorageFront,
    answered,
    cut_after,
)
from tests.support.timing.moved_clock import MovedClock

MESSAGE = "PUT queue"
"""The beginnings of the calls that hide a message."""


@pytest.fixture
async def message(storage: str) -> ReceivedMessage:
    """A message that a host has received."""
    async with QueueClient.from_connection_string(storage, "work") as queue:
        await queue.create_queue()
        await queue.send_message("x")
        received = await queue.receive_message(visibility_timeout=600)
        assert received
        return ReceivedMessage(received.id, "x", 1, received.pop_receipt or "")


@pytest.fixture
def queue(far_account: StorageAccount) -> MessageQueue:
    """Its queue, through the proxy."""
    return MessageQueue(far_account, "work")


@pytest.fixture
def messages(storage: str) -> QueueMessages:
    """The messages in the queue."""
    return QueueMessages(storage, "work")


async def refused(storage: str, message: ReceivedMessage) -> bool:
    """Whether the host's own delete finds a stale receipt, or nothing."""
    async with QueueClient.from_connection_string(storage, "work") as queue:
        try:
            await queue.delete_message(message.id, message.receipt)
        except HttpResponseError as error:
            return "PopReceiptMismatch" in str(error) or "MessageNotFound" in str(error)
    return False


async def renewed(front: StorageFront, clock: MovedClock, seconds: float, count: int) -> None:
    """Move the clock, and wait until the message has been hidden so often."""
    clock.move(seconds)
    await clock.until(lambda: sum(each.name.startswith(MESSAGE) for each in front.handled) >= count)


async def test_a_short_function(
    queue: MessageQueue,
    message: ReceivedMessage,
    messages: QueueMessages,
    front: StorageFront,
    stopped_clock: MovedClock,
) -> None:
    """Its message is left to the host: no request is sent, neither then nor later."""
    async with held(queue, message):
        stopped_clock.move(TAKE_OVER_SECONDS - 0.1)
        await asyncio.sleep(0)
    stopped_clock.move(60)
    await asyncio.sleep(0)
    assert front.calls == []
    assert await messages.count() == 1


async def test_a_long_function(
    queue: MessageQueue,
    message: ReceivedMessage,
    messages: QueueMessages,
    storage: str,
    front: StorageFront,
    stopped_clock: MovedClock,
) -> None:
    """Its message is hidden for 20 s, again after each 7 s, and deleted; the host's is stale."""
    queries: list[Mapping[str, str]] = []

    async def note(passage: Passage, passed: Pass) -> StreamResponse:
        queries.append(passage.query)
        return await passed()

    front.spoil(MESSAGE, note)
    async with held(queue, message):
        await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 1)
        await renewed(front, stopped_clock, RENEWAL_SECONDS, 2)
        await renewed(front, stopped_clock, RENEWAL_SECONDS, 3)
        assert await refused(storage, message)
    assert [each["visibilitytimeout"] for each in queries] == [f"{HIDDEN_SECONDS}"] * 3
    assert len({each["popreceipt"] for each in queries}) == 3
    assert await messages.count() == 0
    assert await refused(storage, message)


async def test_a_long_function_that_fails(
    queue: MessageQueue,
    message: ReceivedMessage,
    messages: QueueMessages,
    front: StorageFront,
    stopped_clock: MovedClock,
) -> None:
    """Its message stays, and is received again after 20 s."""

    async def fail() -> None:
        async with held(queue, message):
            await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 1)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert len(front.calls) == 1
    assert await messages.count() == 1


@pytest.mark.parametrize("code", ["PopReceiptMismatch", "MessageNotFound"])
async def test_a_message_that_somebody_else_has(
    queue: MessageQueue,
    message: ReceivedMessage,
    front: StorageFront,
    stopped_clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
    code: str,
) -> None:
    """It is not hidden again, and never deleted; nothing is logged."""
    status = 404 if code == "MessageNotFound" else 400
    front.spoil(MESSAGE, answered(status, headers={"x-ms-error-code": code}))
    async with held(queue, message):
        await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 1)
        for _ in range(3):
            stopped_clock.move(RENEWAL_SECONDS)
            await asyncio.sleep(0)
    assert len(front.calls) == 1
    assert caplog.records == []


async def test_a_renewal_that_fails(
    queue: MessageQueue,
    message: ReceivedMessage,
    messages: QueueMessages,
    front: StorageFront,
    stopped_clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The next one follows, before the message is visible."""
    front.spoil(MESSAGE, answered(403), times=1)
    async with held(queue, message):
        await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 1)
        await renewed(front, stopped_clock, RENEWAL_SECONDS, 2)
    assert [each.levelno for each in caplog.records] == [logging.WARNING]
    assert await messages.count() == 0
    assert 2 * RENEWAL_SECONDS < HIDDEN_SECONDS


async def test_renewals_that_fail_for_too_long(
    queue: MessageQueue, message: ReceivedMessage, front: StorageFront, stopped_clock: MovedClock
) -> None:
    """By the clock, others may have received the message."""
    async with held(queue, message) as own:
        await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 1)
        front.spoil(MESSAGE, answered(403))
        for count in (2, 3):
            await renewed(front, stopped_clock, RENEWAL_SECONDS, count)
            assert not own.is_lost
        await renewed(front, stopped_clock, RENEWAL_SECONDS, 4)
        assert own.is_lost


async def test_a_renewal_whose_answer_is_lost(
    queue: MessageQueue,
    message: ReceivedMessage,
    messages: QueueMessages,
    front: StorageFront,
    stopped_clock: MovedClock,
) -> None:
    """Nobody knows the new receipt: the message is received again, rather than lost."""
    front.spoil(MESSAGE, cut_after, times=1)
    async with held(queue, message):
        await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 2)  # the second one is a retry
    assert await messages.count() == 1


async def test_a_message_that_cannot_be_deleted(
    queue: MessageQueue,
    message: ReceivedMessage,
    messages: QueueMessages,
    front: StorageFront,
    stopped_clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The function has done its work, and does not fail."""
    front.spoil("DELETE queue", answered(403))
    async with held(queue, message):
        await renewed(front, stopped_clock, TAKE_OVER_SECONDS, 1)
    assert await messages.count() == 1
    assert [each.levelno for each in caplog.records] == [logging.WARNING]
