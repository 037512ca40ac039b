"""LeasedLock: a conversation's lock in this process, and the lease that other processes respect."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from cloud_adapter.deadlines import storage_in_time
from cloud_adapter.errors import BlobChanged, BlobLeased, ConversationBusy, StorageUnavailable
from cloud_adapter.state.lease import Lease
from cloud_adapter.storage.blobs import Blob, Container
from http_client.retry import Backoff

MAX_LEASE_REUSE_SECONDS = 5.0
"""The age up to which the next turn in this process takes over a lease. An older one is released
between two turns, so that other processes get the conversation, too."""

LEASE_GRACE_SECONDS = 0.02
"""How long a lease is kept for another turn in this process after the last one has ended."""

BACKOFF = Backoff(first=0.05, longest=0.5)
"""The pauses between attempts to acquire a lease that another process has, or to write its blob."""

EMPTY_STATE = b"{}"
"""The content of a new conversation's blob: there must be one to lease."""

Beside = Callable[[], Awaitable[object]]
"""What a turn reads beside its conversation's state."""

log = logging.getLogger(__name__)


class LeasedLock:
    """One conversation's lock in this process, and the lease that other processes respect.

    Args:
        blobs: the container of the leased blob.
        name: its name.
        renewal_seconds: the time between two renewals of the lease.
        forget: is called when nobody uses the lock, and its lease is released.

    Attributes:
        blob: as it was last read or written in this process; None: it does not exist.
    """

    def __init__(
        self, blobs: Container, name: str, renewal_seconds: float, forget: Callable[[], object]
    ) -> None:
        self.name = name
        self.blob: Blob | None = None
        self._blobs = blobs
        self._renewal_seconds = renewal_seconds
        self._forget = forget
        self._users = 0  # turns that have the lock or wait for it
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None
        self._creating: asyncio.Task[None] | None = None
        self._release_timer: asyncio.TimerHandle | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._writes = 0

    @property
    def lease_lost(self) -> bool:
        """Whether another process may have acquired the lease."""
        if self._lease is not None:
            return self._lease.lost
        return self._creating is not None and self._creating.done()

    @asynccontextmanager
    async def acquired(
        self,
        lock_timeout: float,
        beside: Beside | None,
        known: Blob | None,
        deadline: float | None,
    ) -> AsyncIterator[None]:
        """Own the lock and its lease; see `ConversationLocks.lock`."""
        self._users += 1
        if self._release_timer is not None:
            self._release_timer.cancel()
        try:
            lock_deadline = asyncio.get_running_loop().time() + lock_timeout
            is_free = self._users == 1  # so no timer is needed
            try:
                async with asyncio.timeout_at(None if is_free else lock_deadline):
                    await self._lock.acquire()
            except TimeoutError:
                raise ConversationBusy(
                    "another turn of the conversation is running in this process"
                ) from None
            try:
                await storage_in_time(self._take(lock_deadline, beside, known), deadline)
                yield
            finally:
                self._lock.release()
        finally:
            self._users -= 1
            if not self._users:
                self._release_soon()

    def _release_soon(self) -> None:
        """Keep the lease for a moment: the channel need not wait for the release."""
        if self._is_releasing:
            return
        if self._lease is None and self._creating is None:
            self._forget()
            return
        loop = asyncio.get_running_loop()
        self._release_timer = loop.call_later(LEASE_GRACE_SECONDS, self._start_release)

    @property
    def _is_releasing(self) -> bool:
        return self._releasing is not None and not self._releasing.done()

    def _start_release(self) -> None:
        if self._release_timer is not None:
            self._release_timer.cancel()
        if not self._users and not self._is_releasing:
            self._releasing = asyncio.create_task(self._release())

    async def _release(self) -> None:
        await self.created()
        await self._release_lease()
        if not self._users:
            self._forget()

    async def close(self) -> None:
        """Release the lease now, unless a turn has the lock or waits for it."""
        self._start_release()
        await self._released()

    async def _released(self) -> None:
        if self._releasing is not None:
            await asyncio.wait({self._releasing})

    async def read(self) -> Blob | None:
        """The blob; None if it does not exist."""
        writes = self._writes
        blob = await self._blobs.read(self.name)
        if writes == self._writes:
            self.blob = blob
        return blob

    def note(self, blob: Blob | None) -> None:
        """Note what has been written; None: the blob has been deleted."""
        self.blob = blob
        self._writes += 1

    async def created(self) -> None:
        """Wait until the blob of a first turn has been created and leased."""
        if self._creating is not None:
            await asyncio.wait({self._creating})

    async def _release_lease(self) -> None:
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.release()

    async def _take(self, lock_deadline: float, beside: Beside | None, known: Blob | None) -> None:
        """Take over the lease and the blob of the turn before, or acquire and read them.

        However this ends, no lease is cut off half-way: it is acquired and released in tasks of
        their own, and the next turn waits for the release.
        """
        await self._released()
        await self.created()
        self._creating = self._releasing = None
        if self._lease and (self._lease.lost or self._lease.age > MAX_LEASE_REUSE_SECONDS):
            self._releasing = asyncio.create_task(self._release())
            await self._released()
        try:
            if self._lease is None:
                await self._acquire_lease(lock_deadline, beside, known)
            elif self._lease.is_open:  # another process may have written
                await self._read(beside)
            elif beside is not None:
                await beside()
        except BaseException:
            if self._lease is not None:  # without the blob, it is of no use to the next turn
                self._releasing = asyncio.create_task(self._release())
            raise

    async def _acquire_lease(
        self, lock_deadline: float, beside: Beside | None, known: Blob | None
    ) -> None:
        has_waited = False
        try:
            etag = await self._acquire_at_once(beside, known)
        except BlobLeased:
            etag = await self._wait_for_lease(lock_deadline)
            has_waited = True
        if etag is None:
            # A new conversation: its turn need not wait until there is a blob to lease.
            self.blob = None
            self._creating = asyncio.create_task(self._create())
            return
        if self.blob is None or self.blob.etag != etag:
            await self._read(beside)
        elif has_waited and beside is not None:
            await beside()

    async def _acquire_at_once(self, beside: Beside | None, known: Blob | None) -> str | None:
        """Raises: BlobLeased: another process has the lease, or had it when `known` was read."""
        if known is not None and known.is_leased:
            raise BlobLeased("somebody else had the blob's lease when it was read")
        if known is None:
            return await self._acquire(self._read(beside))
        self.blob = known
        return await self._acquire(beside and beside())

    async def _acquire(self, meanwhile: Awaitable[object] | None = None) -> str | None:
        """Acquire a new lease; the arguments and the result are those of `Lease.acquire`."""
        self._lease = self._new_lease()  # set now, so that it is released however this ends
        etag = await self._lease.acquire(meanwhile)
        if etag is None:
            self._lease = None
        return etag

    async def _wait_for_lease(self, deadline: float) -> str | None:
        """Wait until another process releases the lease, or a deadline (event loop time).

        The blob is read before the lease is acquired, so that it says how the last lease ended.

        Raises:
            ConversationBusy: another process still had it then.
        """
        for attempt in itertools.count(1):
            pause = BACKOFF.pause(attempt)
            if asyncio.get_running_loop().time() + pause >= deadline:
                break
            await asyncio.sleep(pause)
            blob = await self.read()
            if blob is not None and blob.is_leased:
                continue
            with suppress(BlobLeased):
                return await self._acquire()
        raise ConversationBusy("another turn of the conversation is running in another process")

    async def _create(self) -> None:
        """Create and lease the blob, if no other process does."""
        lease = self._new_lease()
        try:
            etag = await self._blobs.write(self.name, EMPTY_STATE, None)
            self.note(Blob(EMPTY_STATE, etag, {}))
            if await lease.acquire() is not None:
                self._lease = lease
        except (BlobChanged, BlobLeased):
            log.info("Another process runs a first turn of the same conversation")
        except StorageUnavailable as error:
            log.warning("A new conversation could not be leased: %s", error)

    def _new_lease(self) -> Lease:
        return Lease(self._blobs, self.name, self._renewal_seconds)

    async def _read(self, beside: Beside | None) -> None:
        if beside is None:
            await self.read()
        else:
            await asyncio.gather(self.read(), beside())
