"""MessageQueue: a queue of the bot's storage account, as the Functions host reads it."""

import base64
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from cloud_adapter.storage_account import StorageAccount, storage_call

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient

LARGEST_MESSAGE = 48 * 1024
"""Bytes, before base64 makes 64 KiB of them, which is what a queue takes."""

FOR_EVER = -1


class MessageQueue:
    """Puts messages into a queue, which is made for the first one.

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
            StorageUnavailable: the account does not answer, or refuses.
        """
        queue = await self._client()
        # host.json's messageEncoding
        content = base64.b64encode(text.encode()).decode()
        async with storage_call():
            try:
                await _send(queue, content, delay)
            except ResourceNotFoundError:
                await _create(queue)
                await _send(queue, content, delay)

    async def _client(self) -> "QueueClient":
        return (await self._account.queues()).get_queue_client(self._name)


async def _send(queue: "QueueClient", content: str, delay: float) -> None:
    await queue.send_message(content, visibility_timeout=round(delay), time_to_live=FOR_EVER)


async def _create(queue: "QueueClient") -> None:
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return
