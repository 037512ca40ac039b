"""A queue's messages as a test looks at them, beside the code that uses the queue."""

import base64

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient


class QueueMessages:
    """The messages in a queue.

    Args:
        storage: connection string.
        name: the queue's.
    """

    def __init__(self, storage: str, name: str) -> None:
        self._storage = storage
        self._name = name

    def _client(self) -> QueueClient:
        return QueueClient.from_connection_string(self._storage, self._name)

    async def count(self) -> int:
        """Messages, hidden ones included; 0 when there is no such queue."""
        async with self._client() as queue:
            try:
                return (await queue.get_queue_properties()).approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    async def taken(self) -> list[str]:
        """Take out for good what can be seen, oldest first."""
        texts = []
        async with self._client() as queue:
            try:
                async for message in queue.receive_messages():
                    texts.append(base64.b64decode(message.content).decode())
                    await queue.delete_message(message)
            except ResourceNotFoundError:
                return []
        return texts

    async def put(self, content: str) -> None:
        """Put something into it as it is, without the host's encoding."""
        async with self._client() as queue:
            await queue.send_message(content)

    async def clear(self) -> None:
        """Take everything out, hidden messages too."""
        async with self._client() as queue:
            await queue.clear_messages()
