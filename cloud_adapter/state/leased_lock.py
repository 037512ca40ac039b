"""LeasedLock: a conversation's lock in this process, and the lease that other processes respect."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from cloud_adapter.errors import BlobChanged, BlobLeased, ConversationBusy, StorageUnavailable
from cloud_adapter.state.lease import Lease
from cloud_adapter.storage.blobs import Blob
from cloud_adapter.storage.memory_container import Container
from http_client.retry import Backoff

MAX_LEASE_REUSE_SECONDS = 5.0
"""The age up to which a lease is passed on to the next turn in this process. An older one is
released between two turns, so that other processes get the conversation, too."""

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

    Attributes:
        users: how many turns have the lock or wait for it.
        blob: as it was last read or written in this process; None: it does not exist.
    """

    def __init__(self, blobs: Container, name: str, renewal_seconds: float) -> None:
        self.name = name
        self.users = 0
        self.blob: Blob | None = None
        self._blobs = blobs
        self._renewal_seconds = renewal_seconds
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None
        self._creating: asyncio.Task[None] | None = None
        self._writes = 0

    @property
    def lease_lost(self) -> bool:
        """Whether another process may have acquired the lease."""
        if self._lease is not None:
            return self._lease.lost
        return self._creating is not None and self._creating.done()

    @asynccontextmanager
    async def acquired(self, lock_timeout: float, beside: Beside | None) -> AsyncIterator[None]:
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
            await self._take(deadline, beside)
            yield
        finally:
            try:
                await self._pass_on_lease()
            finally:
                self._lock.release()

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

    async def release_lease(self) -> None:
        """Release the lease, if there is one."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.release()

    async def _take(self, deadline: float, beside: Beside | None) -> None:
        """Acquire the lease and read the blob, unless another turn has passed them on."""
        try:
            if self._lease is None:
                await self._acquire_lease(deadline, beside)
            elif self._lease.is_open:  # another process may have written
                await self._read(beside)
            elif beside is not None:
                await beside()
        except BaseException:
            await self.release_lease()  # without the blob, it is of no use to the next turn
            raise

    async def _acquire_lease(self, deadline: float, beside: Beside | None) -> None:
        lease = self._new_lease()
        try:
            etag = await lease.acquire(self._read(beside))
        except BlobLeased:
            lease, etag = await self._wait_for_lease(deadline)
            self.blob = None
        if etag is None:
            # A new conversation: its turn need not wait until there is a blob to lease.
            self.blob = None
            self._creating = asyncio.create_task(self._create())
            return
        self._lease = lease
        if self.blob is None or self.blob.etag != etag:
            await self._read(beside)

    async def _wait_for_lease(self, deadline: float) -> tuple[Lease, str | None]:
        """Wait until another process releases the lease, or a deadline (event loop time).

        Raises:
            ConversationBusy: another process still had it then.
        """
        for attempt in itertools.count(1):
            pause = BACKOFF.pause(attempt)
            if asyncio.get_running_loop().time() + pause >= deadline:
                break
            await asyncio.sleep(pause)
            lease = self._new_lease()
            with suppress(BlobLeased):
                return lease, await lease.acquire()
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

    async def _pass_on_lease(self) -> None:
        """Keep the lease for the next turn that waits here, unless it is too old."""
        await self.created()
        self._creating = None
        if self._lease is not None and (
            self.users == 1 or self.lease_lost or self._lease.age > MAX_LEASE_REUSE_SECONDS
        ):
            await self.release_lease()
