"""MessageQueue: a queue of the bot's storage account, in the encoding of the Functions host."""

import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from cloud_adapter.storage.account import StorageAccount, storage_call

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage
    from azure.storage.queue.aio import QueueClient

MAX_MESSAGE_BYTES = 48 * 1024
"""Of UTF-8: base64 makes 64 KiB of them, the most that a queue takes."""

VISIBILITY_TIMEOUT_SECONDS = 60
"""How long a received message is invisible to others."""

_NEVER_EXPIRES = -1


class ReceivedMessage(NamedTuple):
    """A message that is invisible to others for a while.

    Attributes:
        id: GUID.
        text: the message.
        raw: the SDK's, with the receipt that returning or deleting it needs.
    """

    id: str
    text: str
    raw: "QueueMessage"


class MessageQueue:
    """A queue, which is created when the first message is put into it.

    Each method raises StorageUnavailable when the account does not answer, or refuses access.

    Args:
        account: the bot's storage account.
        name: the queue's name.
    """

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self._name = name

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue. It never expires.

        Args:
            text: at most MAX_MESSAGE_BYTES of UTF-8.
            delay: seconds until it becomes visible.

        Raises:
            ValueError: the message is too large.
        """
        if len(text.encode()) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message may have at most {MAX_MESSAGE_BYTES} bytes")
        queue = await self._client()
        async with storage_call():
            try:
                await _send(queue, text, delay)
            except ResourceNotFoundError:
                await _create(queue)
                await _send(queue, text, delay)

    async def receive_all(self) -> AsyncIterator[ReceivedMessage]:
        """Receive every visible message. Each is invisible to others for a minute."""
        queue = await self._client()
        pages = queue.receive_messages(
            messages_per_page=32, visibility_timeout=VISIBILITY_TIMEOUT_SECONDS
        ).by_page()
        while True:
            async with storage_call():
                try:
                    page = [message async for message in await anext(pages)]
                except (StopAsyncIteration, ResourceNotFoundError):
                    return
            if not page:
                return
            for message in page:
                yield ReceivedMessage(message.id, _decoded(message.content), message)

    async def release(self, message: ReceivedMessage) -> None:
        """Make a received message visible again."""
        queue = await self._client()
        async with storage_call():
            await queue.update_message(message.raw, visibility_timeout=0)

    async def delete(self, message: ReceivedMessage) -> None:
        """Delete a received message."""
        queue = await self._client()
        async with storage_call():
            await queue.delete_message(message.raw)

    async def _client(self) -> "QueueClient":
        return (await self._account.queues()).get_queue_client(self._name)


async def _send(queue: "QueueClient", text: str, delay: float) -> None:
    content = base64.b64encode(text.encode()).decode()  # as host.json's messageEncoding says
    await queue.send_message(content, visibility_timeout=round(delay), time_to_live=_NEVER_EXPIRES)


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content  # put in by somebody else, without the host's encoding


async def _create(queue: "QueueClient") -> None:
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return
