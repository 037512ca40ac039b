"""ConversationLocks: one turn of a conversation at a time, in this process and in all others."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from cloud_adapter.errors import ConversationBusy
from cloud_adapter.state.lease import RENEWAL_SECONDS, Lease
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-conversations"

MAX_LEASE_REUSE_SECONDS = 5.0
"""The age up to which a lease is passed on to the next turn in this process. An older one is
released between two turns, so that other processes get the conversation, too."""


def conversation_name(activity: Any) -> str:
    """The name of an Activity's conversation: one part of the names of its blobs."""
    return name_part(f"{activity.channel_id}/{activity.conversation.id}")


@dataclass
class _Ownership:
    """A turn's ownership of a lock, which everything that runs within the turn shares.

    Attributes:
        conversation: its name.
        outer: the ownership in which this one began.
        ended: the turn is over, even if tasks that it started are still running.
    """

    conversation: str
    outer: "_Ownership | None"
    ended: bool = False


_OWNERSHIP: ContextVar[_Ownership | None] = ContextVar("lock ownership", default=None)


def owned_conversations() -> set[str]:
    """The names of the conversations that the turn which runs this code has locked."""
    names = set()
    ownership = _live(_OWNERSHIP.get())
    while ownership is not None:
        names.add(ownership.conversation)
        ownership = _live(ownership.outer)
    return names


def _live(ownership: _Ownership | None) -> _Ownership | None:
    """An ownership that has not ended: this one, or the closest one around it."""
    while ownership is not None and ownership.ended:
        ownership = ownership.outer
    return ownership


class ConversationLocks:
    """Runs one turn of a conversation at a time.

    Within a process, turns get the lock in the order in which they asked for it. Between processes
    a blob's lease decides, in no particular order. The leases of a process that dies expire after
    15 seconds.

    Args:
        blobs: the container of the leased blobs; None: there is no other process.
        renewal_seconds: the time between two renewals of a lease.
    """

    def __init__(
        self, blobs: BlobContainer | None = None, renewal_seconds: float = RENEWAL_SECONDS
    ) -> None:
        self._blobs = blobs
        self._renewal_seconds = renewal_seconds
        self._locks: dict[str, _LeasedLock] = {}

    def lease_lost(self, conversation: str) -> bool:
        """Whether another process may have the lock of a conversation that is locked here."""
        lock = self._locks.get(conversation)
        return lock is not None and lock.lease_lost

    @asynccontextmanager
    async def lock(self, conversation: str, lock_timeout: float) -> AsyncIterator[None]:
        """Lock a conversation; within a turn that has locked it already, this does nothing.

        Args:
            conversation: see `conversation_name`.
            lock_timeout: seconds to wait for the lock.

        Raises:
            ConversationBusy: another turn was still running after that time.
            StorageUnavailable: the lease cannot be acquired.
        """
        if conversation in owned_conversations():
            yield
            return
        lock = self._locks.setdefault(
            conversation, _LeasedLock(functools.partial(self._acquire_lease, conversation))
        )
        lock.users += 1
        try:
            async with lock.acquired(lock_timeout):
                outer = _live(_OWNERSHIP.get())
                ownership = _Ownership(conversation, outer)
                _OWNERSHIP.set(ownership)
                try:
                    yield
                finally:
                    ownership.ended = True
                    _OWNERSHIP.set(outer)
        finally:
            lock.users -= 1
            if not lock.users:
                self._locks.pop(conversation, None)
                await lock.release_lease()

    async def _acquire_lease(self, conversation: str, deadline: float) -> Lease | None:
        if self._blobs is None:
            return None
        return await Lease.acquire(self._blobs, conversation, deadline, self._renewal_seconds)


class _LeasedLock:
    """One conversation's lock in this process, and the lease that other processes respect.

    Args:
        acquire_lease: acquires the lease before a deadline (event loop time).

    Attributes:
        users: how many turns have the lock or wait for it.
    """

    def __init__(self, acquire_lease: Callable[[float], Awaitable[Lease | None]]) -> None:
        self.users = 0
        self._acquire_lease = acquire_lease
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None

    @property
    def lease_lost(self) -> bool:
        """Whether another process has acquired the lease."""
        return self._lease is not None and self._lease.lost

    @asynccontextmanager
    async def acquired(self, lock_timeout: float) -> AsyncIterator[None]:
        """Own the lock and its lease; see `ConversationLocks.lock`."""
        deadline = asyncio.get_running_loop().time() + lock_timeout
        try:
            async with asyncio.timeout(lock_timeout):
                await self._lock.acquire()
        except TimeoutError:
            raise ConversationBusy(
                "another turn of the conversation is running in this process"
            ) from None
        try:
            if self._lease is None:
                self._lease = await self._acquire_lease(deadline)
            yield
        finally:
            try:
                await self._pass_on_lease()
            finally:
                self._lock.release()

    async def release_lease(self) -> None:
        """Release the lease, if there is one."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.release()

    async def _pass_on_lease(self) -> None:
        """Keep the lease for the next turn that waits here, unless it is too old."""
        if self._lease is not None and (
            self.users == 1 or self.lease_lost or self._lease.age > MAX_LEASE_REUSE_SECONDS
        ):
            await self.release_lease()
