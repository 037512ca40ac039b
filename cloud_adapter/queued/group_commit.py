"""GroupCommit: records that arrive while others of their conversation are stored are collected, and
then stored together."""

import asyncio
import functools
from collections.abc import Awaitable, Callable

MAX_BATCH_BYTES = 128 * 1024
"""A batch has more only if it has a single record. So the ids always fit into a queue message."""

Store = Callable[["Batch"], Awaitable[None]]


class Batch:
    """Records of a conversation that are stored together.

    Args:
        conversation: its name.
        store: stores the batch.
        earlier: is stored before; None: there is none.

    Attributes:
        ids: of the activities.
        records: the records, one after the other.
        storing: ends when the records are stored; it raises what `store` raises.
    """

    def __init__(self, conversation: str, store: Store, earlier: "Batch | None") -> None:
        self.conversation = conversation
        self.ids: list[str] = []
        self.records = bytearray()
        self._is_open = True
        self.storing = asyncio.create_task(self._store_after(store, earlier))
        # Every caller may be cancelled before it gets the error.
        self.storing.add_done_callback(lambda task: task.cancelled() or task.exception())

    def takes(self, record: bytes) -> bool:
        """Whether a record can be added."""
        return self._is_open and len(self.records) + len(record) <= MAX_BATCH_BYTES

    async def _store_after(self, store: Store, earlier: "Batch | None") -> None:
        if earlier is not None:
            await asyncio.wait([earlier.storing])
        self._is_open = False
        await store(self)


class GroupCommit:
    """Stores the records of each conversation in the order in which they arrive.

    Args:
        store: stores a batch.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[str, Batch] = {}

    async def add(self, conversation: str, activity_id: str, record: bytes) -> None:
        """Store a record, and wait until it is stored. Raises what `store` raises."""
        batch = self._last.get(conversation)
        if batch is None or not batch.takes(record):
            batch = self._last[conversation] = Batch(conversation, self._store, batch)
            # Not here, at the end: every caller may be cancelled before.
            batch.storing.add_done_callback(functools.partial(self._forget, batch))
        batch.ids.append(activity_id)
        batch.records += record
        await asyncio.shield(batch.storing)

    def _forget(self, batch: Batch, _: asyncio.Task[None]) -> None:
        if self._last.get(batch.conversation) is batch:
            del self._last[batch.conversation]
