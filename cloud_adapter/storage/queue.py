"""MessageQueue: a queue of the bot's storage account, as the Functions host reads it."""

import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from cloud_adapter.storage.account import StorageAccount, storage_call

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage
    from azure.storage.queue.aio import QueueClient

LARGEST_MESSAGE = 48 * 1024
"""Bytes, before base64 makes 64 KiB of them, which is what a queue takes."""

FOR_EVER = -1

TAKEN = 60
"""Seconds for which a taken message is nobody else's."""


class TakenMessage(NamedTuple):
    """A message, taken out of a queue for a while.

    Attributes:
        id: GUID.
        text: the message.
        raw: the SDK's, with the receipt by which it is given back or deleted.
    """

    id: str
    text: str
    raw: "QueueMessage"


class MessageQueue:
    """A queue, which is made for its first message.

    Each method raises StorageUnavailable when the account does not answer, or refuses.

    Args:
        account: the bot's.
        name: the queue's.
    """

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self._name = name

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue, where it stays until it is done.

        Args:
            text: at most LARGEST_MESSAGE bytes of UTF-8.
            delay: seconds until it can be seen.

        Raises:
            ValueError: the message is too large.
        """
        if len(text.encode()) > LARGEST_MESSAGE:
            raise ValueError(f"a message may have {LARGEST_MESSAGE} bytes")
        queue = await self._client()
        # host.json's messageEncoding
        content = base64.b64encode(text.encode()).decode()
        async with storage_call():
            try:
                await _send(queue, content, delay)
            except ResourceNotFoundError:
                await _create(queue)
                await _send(queue, content, delay)

    async def take(self) -> AsyncIterator[TakenMessage]:
        """Every message that can be seen; for a minute nobody else sees it."""
        queue = await self._client()
        pages = queue.receive_messages(messages_per_page=32, visibility_timeout=TAKEN).by_page()
        while True:
            async with storage_call():
                try:
                    page = [message async for message in await anext(pages)]
                except (StopAsyncIteration, ResourceNotFoundError):
                    return
            if not page:
                return
            for message in page:
                yield TakenMessage(message.id, _decoded(message.content), message)

    async def give_back(self, message: TakenMessage) -> None:
        """Let a taken message be seen again."""
        queue = await self._client()
        async with storage_call():
            await queue.update_message(message.raw, visibility_timeout=0)

    async def delete(self, message: TakenMessage) -> None:
        """Delete a taken message."""
        queue = await self._client()
        async with storage_call():
            await queue.delete_message(message.raw)

    async def _client(self) -> "QueueClient":
        return (await self._account.queues()).get_queue_client(self._name)


async def _send(queue: "QueueClient", content: str, delay: float) -> None:
    await queue.send_message(content, visibility_timeout=round(delay), time_to_live=FOR_EVER)


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content  # not the host's encoding


async def _create(queue: "QueueClient") -> None:
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return
