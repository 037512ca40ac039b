"""Lease: a blob's lease, which tells other processes that a conversation's turn is running."""

import asyncio
import contextlib
import logging
import uuid

from cloud_adapter.errors import BlobChanged, BlobLeased, ConversationBusy, StorageUnavailable
from cloud_adapter.storage.blobs import LEASE_SECONDS, BlobContainer
from http_client.retry import Backoff

BACKOFF = Backoff(first=0.05, longest=0.5)
"""The pauses between attempts to acquire a lease that another process has."""

RENEWAL_SECONDS = LEASE_SECONDS / 3
"""The time between two renewals: one that fails is tried again before the lease expires."""

log = logging.getLogger(__name__)


class Lease:
    """An acquired lease, which is renewed in the background until it is released.

    Args:
        blobs: the container of the leased blob.
        name: the blob's name.
        lease_id: GUID.
        renewal_seconds: the time between two renewals.

    Attributes:
        lost: another process has acquired it.
    """

    def __init__(
        self, blobs: BlobContainer, name: str, lease_id: str, renewal_seconds: float
    ) -> None:
        self._blobs = blobs
        self._name = name
        self._lease_id = lease_id
        self.lost = False
        self._acquired_at = asyncio.get_running_loop().time()
        self._renewing = asyncio.create_task(self._renew(renewal_seconds))

    @classmethod
    async def acquire(
        cls, blobs: BlobContainer, name: str, deadline: float, renewal_seconds: float
    ) -> "Lease":
        """Wait for a lease until a deadline (event loop time).

        Raises:
            ConversationBusy: another process still had it then.
            StorageUnavailable: the account does not answer, or refuses access.
        """
        lease_id, attempt = str(uuid.uuid4()), 1
        while not await _acquired(blobs, name, lease_id):
            pause = BACKOFF.pause(attempt)
            if asyncio.get_running_loop().time() + pause >= deadline:
                raise ConversationBusy(
                    "another turn of the conversation is running in another process"
                )
            await asyncio.sleep(pause)
            attempt += 1
        return cls(blobs, name, lease_id, renewal_seconds)

    @property
    def age(self) -> float:
        """Seconds since it was acquired."""
        return asyncio.get_running_loop().time() - self._acquired_at

    async def release(self) -> None:
        """Release it; if storage is unavailable, it expires."""
        self._renewing.cancel()
        try:
            await self._blobs.release_lease(self._name, self._lease_id)
        except StorageUnavailable as error:
            log.warning(
                "A conversation's lease was not released, so its next turn waits up to %d s: %s",
                LEASE_SECONDS,
                error,
            )

    async def _renew(self, renewal_seconds: float) -> None:
        while True:
            await asyncio.sleep(renewal_seconds)
            try:
                if not await self._blobs.renew_lease(self._name, self._lease_id):
                    # The state is safe: conditional writes do not overwrite the other process's.
                    self.lost = True
                    log.warning("A conversation's lease was lost to another process")
                    return
            except StorageUnavailable as error:
                log.warning("A conversation's lease could not be renewed: %s", error)


async def _acquired(blobs: BlobContainer, name: str, lease_id: str) -> bool:
    try:
        while await blobs.acquire_lease(name, lease_id) is None:
            with contextlib.suppress(BlobChanged):  # another process was quicker
                await blobs.write(name, b"", None)
    except BlobLeased:
        return False
    return True
