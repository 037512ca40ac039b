"""Lease: a blob's lease, which tells other processes that a conversation's turn is running."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.blobs import LEASE_SECONDS, Container

RENEWAL_SECONDS = LEASE_SECONDS / 3
"""The time between two renewals: one that fails is tried again before the lease expires."""

OPENING_SHARE = 0.2
"""The share of that time after which a lease is open: for a second, only its process can write."""

log = logging.getLogger(__name__)


def open_lease_id(name: str) -> str:
    """The id of a blob's lease once it is open: everybody who can write the blob knows it.

    Args:
        name: the blob's name.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


class Lease:
    """A lease, which is renewed in the background until it is released.

    A turn may take long, and invokes and a skill's replies in other processes do not wait for it.
    So that they can write the blob, the lease gets a well-known id after a while: it is open.

    Args:
        blobs: the container of the leased blob.
        name: the blob's name.
        renewal_seconds: the time between two renewals.

    Attributes:
        is_open: other processes can write the blob.
    """

    def __init__(self, blobs: Container, name: str, renewal_seconds: float) -> None:
        self._blobs = blobs
        self._name = name
        self._renewal_seconds = renewal_seconds
        self._id = str(uuid.uuid4())
        self._loop = asyncio.get_running_loop()
        self._acquired_at = self._renewed_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._acquiring: asyncio.Task[str | None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._is_taken = False
        self.is_open = False

    async def acquire(self, meanwhile: Awaitable[object] | None = None) -> str | None:
        """Acquire it, and await something else at the same time.

        If that fails, or the turn is cancelled, it may be acquired all the same: `release` it.

        Returns:
            The blob's ETag; None if the blob does not exist.

        Raises:
            BlobLeased: another process has it.
            StorageUnavailable: the account does not answer, or refuses access.
        """
        self._acquiring = asyncio.create_task(self._acquire())
        if meanwhile is not None:
            await meanwhile
        return await asyncio.shield(self._acquiring)

    async def _acquire(self) -> str | None:
        etag = await self._blobs.acquire_lease(self._name, self._id)
        if etag is not None:
            self._set_timer(self._renewal_seconds * OPENING_SHARE)
        return etag

    @property
    def age(self) -> float:
        """Seconds since it was acquired."""
        return self._loop.time() - self._acquired_at

    @property
    def lost(self) -> bool:
        """Whether another process has it, or may have it since this one was paused."""
        return self._is_taken or self._loop.time() >= self._renewed_at + LEASE_SECONDS

    async def release(self) -> None:
        """Release it, unless it was not acquired; if storage is unavailable, it expires."""
        if self._acquiring is not None:
            await asyncio.wait({self._acquiring})
            if self._acquiring.exception() or self._acquiring.result() is None:
                return
        if self._renewing is not None:
            await asyncio.wait({self._renewing})  # cut off, it may leave the lease with either id
        if self._timer is not None:
            self._timer.cancel()
        if self.is_open and self.lost:
            self._blobs.forget_lease(self._name, self._id)  # another process's may have this id
            return
        try:
            await self._blobs.release_lease(self._name, self._id)
        except StorageUnavailable as error:
            log.warning(
                "A conversation's lease was not released, so its next turn waits up to %d s: %s",
                LEASE_SECONDS,
                error,
            )

    def _set_timer(self, seconds: float) -> None:
        # Not a task that sleeps: most turns end before.
        self._timer = self._loop.call_later(seconds, self._start_renewal)

    def _start_renewal(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            if not await self._open_and_renew():
                # The state is safe: conditional writes do not overwrite the other process's.
                self._is_taken = True
                log.warning("A conversation's lease was lost: it was not renewed in time")
                return
        except StorageUnavailable as error:
            log.warning("A conversation's lease could not be renewed: %s", error)
        self._set_timer(self._renewal_seconds)

    async def _open_and_renew(self) -> bool:
        if self.lost:
            return False
        if not self.is_open:
            new_id = open_lease_id(self._name)
            if not await self._blobs.change_lease(self._name, self._id, new_id):
                return False
            self._id, self.is_open = new_id, True
        sent_at = self._loop.time()
        if not await self._blobs.renew_lease(self._name, self._id):
            return False
        self._renewed_at = sent_at
        return True
