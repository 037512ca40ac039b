"""Leases of processes that have died, or could not release them."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from cloud_adapter.state.stored_state import CONTAINER


async def break_leases(storage: str) -> None:
    """End the leases that were not released, which would expire in 15 seconds."""
    async for blob in _leases(storage):
        with contextlib.suppress(HttpResponseError):
            await blob.break_lease(0)


def dying(storage: str) -> Callable[[], Awaitable[None]]:
    """A turn whose process dies: nobody can release its lease, which ends at once."""

    async def die() -> None:
        async for blob in _leases(storage):
            with contextlib.suppress(HttpResponseError):
                await blob.break_lease(0)
                # Else its process, which only plays dead here, would release it.
                await blob.acquire(60)
                await blob.break_lease(0)
        raise asyncio.CancelledError

    return die


async def _leases(storage: str) -> AsyncIterator[BlobLeaseClient]:
    async with ContainerClient.from_connection_string(storage, CONTAINER) as container:
        with contextlib.suppress(ResourceNotFoundError):
            async for entry in container.list_blobs():
                client = container.get_blob_client(entry.name)
                yield BlobLeaseClient(client, f"{uuid.uuid4()}")
