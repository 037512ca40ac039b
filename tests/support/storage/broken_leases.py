"""Leases of processes that have died, or could not release them."""

import contextlib

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from cloud_adapter.state.stored_json import CONTAINER


async def break_leases(storage: str) -> None:
    """End the leases that were not released, which would expire in 15 seconds."""
    async with ContainerClient.from_connection_string(storage, CONTAINER) as container:
        with contextlib.suppress(ResourceNotFoundError):
            async for entry in container.list_blobs():
                with contextlib.suppress(HttpResponseError):
                    await BlobLeaseClient(container.get_blob_client(entry.name)).break_lease(0)
