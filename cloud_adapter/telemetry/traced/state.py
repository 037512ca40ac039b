"""TracedConversationLocks: spans of the wait for a conversation, and of stored state."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cloud_adapter.state.leased_lock import Beside
from cloud_adapter.state.lock import ConversationLocks, Locked
from cloud_adapter.storage.blobs import Blob
from cloud_adapter.telemetry.spans.operation import Operation, Value


class TracedConversationLocks(ConversationLocks):
    """See the base class."""

    @asynccontextmanager
    async def lock(
        self,
        name: str,
        lock_timeout: float,
        beside: Beside | None = None,
        known: Blob | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Locked]:
        """Lock a conversation, unless the turn that runs this code has locked it already."""
        async with AsyncExitStack() as stack:
            with Operation("bot.conversation_lock"):
                lock = super().lock(name, lock_timeout, beside, known, deadline)
                locked = await stack.enter_async_context(lock)
            yield locked

    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""
        with _storage_operation("read"):
            return await super().read(name)

    async def write(self, name: str, content: bytes, etag: str | None) -> str:
        """Write a blob, and return its new ETag; see BlobContainer."""
        with _storage_operation("write"):
            return await super().write(name, content, etag)

    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists."""
        with _storage_operation("delete"):
            await super().delete(name)


def _storage_operation(operation: str) -> Operation:
    attributes: dict[str, Value] = {"storage.operation": operation, "storage.keys.count": 1}
    return Operation(f"agents.storage.{operation}", attributes)
