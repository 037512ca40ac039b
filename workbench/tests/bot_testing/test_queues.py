"""BotQueues: the kit runs the queues' functions as the Functions host does."""

from collections.abc import AsyncIterator

import azure.functions as func
import pytest
from azure.storage.queue.aio import QueueClient

from auth.settings import StorageSource
from bot_testing.app.queues import MAX_DEQUEUE_COUNT, BotQueues
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import MessageQueue
from http_client.pool import HttpPool
from tests.support.storage.queue_messages import QueueMessages

NAME = "work"


@pytest.fixture
async def account(storage: str) -> AsyncIterator[StorageAccount]:
    """The bot's storage account, with two messages in its queue."""
    account = StorageAccount(StorageSource(storage), HttpPool(), max_retry_pause=0)
    for text in ("long", "short"):
        await MessageQueue(account, NAME).put(text)
    yield account
    await account.close()


async def taken_over(storage: str, message: func.QueueMessage) -> str:
    """Hide a function's message from within the function; returns its new pop receipt."""
    assert message.id
    async with QueueClient.from_connection_string(storage, NAME) as queue:
        hidden = await queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=3600
        )
    assert hidden.pop_receipt
    return hidden.pop_receipt


async def test_a_function_that_fails(account: StorageAccount, storage: str) -> None:
    """It gets the message again at once, some times; then the poison queue has it."""
    counts: dict[str, list[int | None]] = {"long": [], "short": []}

    async def function(message: func.QueueMessage) -> None:
        counts[message.get_body().decode()].append(message.dequeue_count)
        if message.get_body() == b"long":
            raise ValueError

    await BotQueues(account, {NAME: function}).drain(NAME)
    assert counts == {"long": [*range(1, MAX_DEQUEUE_COUNT + 1)], "short": [1]}
    assert await QueueMessages(storage, NAME).count() == 0
    assert await QueueMessages(storage, f"{NAME}-poison").taken() == ["long"]


async def test_a_function_that_deletes_its_message(account: StorageAccount, storage: str) -> None:
    """It takes the message over first, for which it has the id and the pop receipt."""
    ran = []

    async def function(message: func.QueueMessage) -> None:
        ran.append(message.get_body())
        if message.get_body() == b"long":
            receipt = await taken_over(storage, message)
            async with QueueClient.from_connection_string(storage, NAME) as queue:
                assert message.id
                await queue.delete_message(message.id, receipt)

    await BotQueues(account, {NAME: function}).drain(NAME)
    assert ran == [b"long", b"short"]
    assert await QueueMessages(storage, NAME).count() == 0


@pytest.mark.parametrize("fails", [False, True])
async def test_a_message_that_was_taken_over(
    account: StorageAccount, storage: str, fails: bool
) -> None:
    """The kit neither deletes nor releases it, whatever becomes of the function; others run."""
    ran = []

    async def function(message: func.QueueMessage) -> None:
        ran.append(message.get_body())
        if message.get_body() == b"long":
            await taken_over(storage, message)
            if fails:
                raise ValueError

    await BotQueues(account, {NAME: function}).drain(NAME)
    assert ran == [b"long", b"short"]
    async with QueueClient.from_connection_string(storage, NAME) as queue:
        assert (await queue.get_queue_properties()).approximate_message_count == 1
        assert not await queue.peek_messages()  # it is hidden
    assert await QueueMessages(storage, f"{NAME}-poison").count() == 0
