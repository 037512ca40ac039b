"""ConversationLocks: one turn of a conversation at a time, in this process and in all others."""

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

from cloud_adapter.errors import BlobChanged, BlobLeased, ConversationBusy
from cloud_adapter.state.lease import RENEWAL_SECONDS, open_lease_id
from cloud_adapter.state.leased_lock import BACKOFF, EMPTY_STATE, Beside, LeasedLock
from cloud_adapter.state.loaded_state import InboxPosition, LoadedState
from cloud_adapter.storage.blobs import Blob, Container, name_part

MAX_WRITE_WAIT_SECONDS = 3.0
"""How long a write waits until another process's lease is open, or released: more than a second."""


def conversation_name(activity: Any) -> str:
    """The name of an Activity's conversation: that of its state's blob."""
    return name_part(f"{activity.channel_id}/conversations/{activity.conversation.id}")


class Locked:
    """A lock that a turn has, which everything that runs within the turn shares.

    Args:
        lock: the conversation's lock in this process.
        locks: all locks; they write the blob.
        outer: the lock in which the turn got this one.

    Attributes:
        name: the conversation's name.
        position: what the next turn that begins within the lock saves with its state; that turn
            sets it to None.
        ended: the turn is over, even if tasks that it started are still running.
    """

    def __init__(
        self, lock: LeasedLock, locks: "ConversationLocks", outer: "Locked | None"
    ) -> None:
        self.name = lock.name
        self.outer = outer
        self.ended = False
        self.position: InboxPosition | None = None
        self._lock = lock
        self._locks = locks

    @property
    def blob(self) -> Blob | None:
        """The conversation's state as it was last read or written; None if there is none."""
        return self._lock.blob

    async def confirm(self) -> None:
        """Wait until other processes respect the lock: a new conversation's is not leased at first.

        Raises:
            ConversationBusy: another process was quicker, or storage is unavailable.
        """
        await self._lock.created()
        if self._lock.lease_lost:
            raise ConversationBusy("the new conversation could not be leased")

    async def save(
        self, state: LoadedState, turn_id: str = "", position: InboxPosition | None = None
    ) -> None:
        """Write the conversation's state, on top of what was written since it was loaded.

        For the arguments and what this raises, see `LoadedState.save`.
        """
        await self._lock.created()
        state.catch_up(self.blob)
        await state.save(self._locks, self.name, turn_id, position)

    async def write_position(self, position: InboxPosition) -> None:
        """Write the position alone; it raises as `save` does."""
        await self.save(LoadedState(self.blob), position=position)


_LOCKED: ContextVar[Locked | None] = ContextVar("lock", default=None)


def owned_locks() -> dict[str, Locked]:
    """The locks of the turn that runs this code, by name."""
    owned = {}
    locked = _live(_LOCKED.get())
    while locked is not None:
        owned[locked.name] = locked
        locked = _live(locked.outer)
    return owned


def _live(locked: Locked | None) -> Locked | None:
    """A lock whose turn has not ended: this one, or the closest one around it."""
    while locked is not None and locked.ended:
        locked = locked.outer
    return locked


class ConversationLocks:
    """Runs one turn of a conversation at a time, and reads and writes the state of conversations.

    Within a process, turns get the lock in the order in which they asked for it. Between processes
    the lease of the state's blob decides, in no particular order. The leases of a process that dies
    expire after 15 seconds.

    Args:
        blobs: the container of the state.
        renewal_seconds: the time between two renewals of a lease.
    """

    def __init__(self, blobs: Container, renewal_seconds: float = RENEWAL_SECONDS) -> None:
        self._blobs = blobs
        self._renewal_seconds = renewal_seconds
        self._locks: dict[str, LeasedLock] = {}

    def lease_lost(self, name: str) -> bool:
        """Whether another process may have the lock of a conversation that is locked here."""
        lock = self._locks.get(name)
        return lock is not None and lock.lease_lost

    @asynccontextmanager
    async def lock(
        self,
        name: str,
        lock_timeout: float,
        beside: Beside | None = None,
        known: Blob | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Locked]:
        """Lock a conversation, unless the turn that runs this code has locked it already.

        Args:
            name: see `conversation_name`.
            lock_timeout: seconds to wait for the lock.
            beside: reads what else the turn needs, once no other turn has the lock here.
            known: the state as it was read without the lock: it is read again only if it changed.
            deadline: until when the lease is acquired and everything is read, in event loop time
                (seconds); None: as long as each call to storage may take.

        Raises:
            ConversationBusy: another turn was still running after that time.
            StorageUnavailable: the lease cannot be acquired, or the state cannot be read, or not in
                time.
        """
        if owned := owned_locks().get(name):
            if beside is not None:
                await beside()
            yield owned
            return
        lock = self._locks.get(name)
        if lock is None:
            forget = functools.partial(self._locks.pop, name, None)
            lock = LeasedLock(self._blobs, name, self._renewal_seconds, forget)
            self._locks[name] = lock
        async with lock.acquired(lock_timeout, beside, known, deadline):
            outer = _live(_LOCKED.get())
            locked = Locked(lock, self, outer)
            _LOCKED.set(locked)
            try:
                yield locked
            finally:
                locked.ended = True
                _LOCKED.set(outer)

    async def close(self) -> None:
        """Release the leases that are kept for further turns."""
        await asyncio.gather(*(lock.close() for lock in list(self._locks.values())))

    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist.

        Raises:
            StorageUnavailable: it cannot be read, so it is not known whether it exists.
        """
        lock = self._locks.get(name)
        return await (self._blobs.read(name) if lock is None else lock.read())

    async def write(self, name: str, content: bytes, etag: str | None) -> str:
        """Write a blob, and return its new ETag; see BlobContainer.

        Raises:
            BlobChanged: the blob is another version, is gone, or exists although `etag` is None.
            ConversationBusy: another process's turn had leased it for too long.
            StorageUnavailable: the account does not answer, or refuses access.
        """
        new = await self._with_lease(
            name,
            lambda lease_id: self._blobs.write(name, content, etag, lease_id=lease_id),
        )
        self._note(name, Blob(content, new, {}))
        return new

    async def create(self, name: str) -> None:
        """Create the state of a new conversation, if there is none.

        Raises:
            StorageUnavailable: the account does not answer, or refuses access.
        """
        with suppress(BlobChanged, BlobLeased):  # it exists
            etag = await self._blobs.write(name, EMPTY_STATE, None)
            self._note(name, Blob(EMPTY_STATE, etag, {}))

    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists; raises as `write` does."""
        await self._with_lease(name, lambda lease_id: self._blobs.delete(name, lease_id=lease_id))
        self._note(name, None)

    def _note(self, name: str, blob: Blob | None) -> None:
        if lock := self._locks.get(name):
            lock.note(blob)

    async def _with_lease[Result](
        self, name: str, call: Callable[[str | None], Awaitable[Result]]
    ) -> Result:
        """Try a call until no other process has the blob's lease, or its lease is open."""
        loop = asyncio.get_running_loop()
        end = loop.time() + MAX_WRITE_WAIT_SECONDS
        with suppress(BlobLeased):
            return await call(None)
        for attempt in itertools.count(1):
            with suppress(BlobLeased):
                return await call(open_lease_id(name))
            pause = BACKOFF.pause(attempt)
            if loop.time() + pause > end:
                break
            await asyncio.sleep(pause)
        raise ConversationBusy("another process's turn keeps state from being written")
