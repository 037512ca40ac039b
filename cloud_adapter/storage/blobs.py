"""BlobContainer: a container of the bot's storage account, with conditional writes and leases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from cloud_adapter.errors import BlobChanged
from cloud_adapter.storage.account import StorageAccount, storage_call

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobClient, BlobLeaseClient, ContainerClient

ANY = "*"
"""In place of an ETag: whatever is stored is replaced."""

LEASE_SECONDS = 15
"""How long a lease lasts unless it is renewed: the shortest that Azure offers, since a process may
die while it has one."""

_MISSING = {"BlobNotFound", "ContainerNotFound", "ResourceNotFound"}
"""Error codes of a 404 that comes from the account, not from a proxy in front of it."""

_LEASE_LOST = {404, 409, 412}
"""Statuses that say that the blob is gone, or that its lease is not the caller's any more."""

_MAX_BATCH_BLOBS = 256
"""Blobs that one request can delete."""

_NO_METADATA: Mapping[str, str] = MappingProxyType({})


class Blob(NamedTuple):
    """A blob as it was read.

    Attributes:
        content: bytes.
        etag: the version's ETag.
        metadata: names and values in ASCII.
    """

    content: bytes
    etag: str
    metadata: Mapping[str, str]


class BlobEntry(NamedTuple):
    """A blob in a listing.

    Attributes:
        name: the blob's name.
        metadata: names and values in ASCII.
    """

    name: str
    metadata: Mapping[str, str]


class BlobContainer:
    """A container, which is created when something is written into it for the first time.

    Each method raises StorageUnavailable when the account does not answer, or refuses access.

    Args:
        account: the bot's storage account.
        container: the container's name.
    """

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container

    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""
        blob = await self._blob(name)
        async with storage_call():
            try:
                stream = await blob.download_blob()
                content = await stream.readall()
            except ResourceNotFoundError as error:
                _check_missing(error)
                return None
            found = stream.properties
            return Blob(content, found.etag, found.metadata or _NO_METADATA)

    async def read_metadata(self, name: str) -> Mapping[str, str] | None:
        """A blob's metadata; None if the blob does not exist."""
        blob = await self._blob(name)
        async with storage_call():
            try:
                found = await blob.get_blob_properties()
            except ResourceNotFoundError as error:
                _check_missing(error)
                return None
            return found.metadata or _NO_METADATA

    async def write(
        self,
        name: str,
        content: bytes,
        etag: str | None,
        metadata: Mapping[str, str] = _NO_METADATA,
    ) -> str:
        """Write a blob, and return its new ETag.

        Args:
            name: the blob's name.
            content: bytes.
            etag: the ETag of the version to replace; None: the blob must not exist; ANY.
            metadata: names and values in ASCII.

        Raises:
            BlobChanged: the blob is not that version, or exists.
        """
        blob = await self._blob(name)
        async with storage_call():
            return await self._in_container(lambda: _upload(blob, content, etag, metadata))

    async def append(self, name: str, content: bytes) -> None:
        """Append to a blob, which is created if it does not exist.

        When an answer is lost, the content may be appended twice.

        Args:
            name: the name of a blob that is only appended to.
            content: up to 4 MiB; a blob takes 50,000 such blocks.
        """
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.append_block(content)
            except ResourceNotFoundError:
                await self._in_container(lambda: _create_appendable(blob))
                await blob.append_block(content)

    async def write_metadata(self, name: str, metadata: Mapping[str, str]) -> None:
        """Replace a blob's metadata, if the blob exists."""
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.set_blob_metadata(dict(metadata))
            except ResourceNotFoundError:
                return

    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists."""
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.delete_blob()
            except ResourceNotFoundError:
                return

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete blobs, many in one request; those that do not exist are ignored."""
        container = await self._client()
        for start in range(0, len(names), _MAX_BATCH_BLOBS):
            async with storage_call():
                batch = names[start : start + _MAX_BATCH_BLOBS]
                await container.delete_blobs(*batch, raise_on_any_failure=False)

    async def list(self, prefix: str = "") -> AsyncIterator[BlobEntry]:
        """The blobs whose names begin with a prefix, in the order of their names."""
        container = await self._client()
        pages = container.list_blobs(name_starts_with=prefix, include=["metadata"]).by_page()
        while True:
            async with storage_call():
                try:
                    page = [entry async for entry in await anext(pages)]
                except (StopAsyncIteration, ResourceNotFoundError):
                    return
            for entry in page:
                yield BlobEntry(entry.name, entry.metadata or _NO_METADATA)

    async def acquire_lease(self, name: str, lease_id: str) -> bool:
        """Acquire a blob's lease; False: somebody else has it.

        Args:
            name: the blob's name. The blob is created if it does not exist.
            lease_id: GUID; whoever has the lease can acquire it again.
        """
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.acquire_lease(LEASE_SECONDS, lease_id=lease_id)
            except ResourceNotFoundError:
                await self._in_container(lambda: _create_empty(blob))
                return await self.acquire_lease(name, lease_id)
            except HttpResponseError as error:
                if error.status_code != 409:
                    raise
                return False
            return True

    async def renew_lease(self, name: str, lease_id: str) -> bool:
        """Renew a lease; False: it is lost."""
        lease = await self._lease(name, lease_id)
        async with storage_call():
            try:
                await lease.renew()
            except HttpResponseError as error:
                if error.status_code not in _LEASE_LOST:
                    raise
                return False
            return True

    async def release_lease(self, name: str, lease_id: str) -> None:
        """Release a lease, unless it is lost."""
        lease = await self._lease(name, lease_id)
        async with storage_call():
            try:
                await lease.release()
            except HttpResponseError as error:
                if error.status_code not in _LEASE_LOST:
                    raise

    async def _in_container[Result](self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Await a call that fails with 404 only if the container does not exist."""
        try:
            return await call()
        except ResourceNotFoundError:
            await self._create()
            return await call()

    async def _create(self) -> None:
        try:
            await (await self._client()).create_container()
        except ResourceExistsError:
            return  # another call, or a lost answer of this one

    async def _client(self) -> "ContainerClient":
        return (await self._account.blobs()).get_container_client(self._container)

    async def _blob(self, name: str) -> "BlobClient":
        return (await self._account.blobs()).get_blob_client(self._container, name)

    async def _lease(self, name: str, lease_id: str) -> "BlobLeaseClient":
        blob = await self._blob(name)
        from azure.storage.blob.aio import BlobLeaseClient  # the account has imported it by now

        return BlobLeaseClient(blob, lease_id)


def _check_missing(error: ResourceNotFoundError) -> None:
    """Raise a 404 again, unless the account itself says that the blob does not exist."""
    if getattr(error, "error_code", "") not in _MISSING:
        raise error


async def _create_empty(blob: "BlobClient") -> None:
    try:
        await _upload(blob, b"", None, _NO_METADATA)
    except BlobChanged:
        return  # another process was quicker


async def _create_appendable(blob: "BlobClient") -> None:
    try:
        await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
    except (ResourceExistsError, ResourceModifiedError):
        return  # another process was quicker


async def _upload(
    blob: "BlobClient", content: bytes, etag: str | None, metadata: Mapping[str, str]
) -> str:
    replaces = etag not in (None, ANY)
    condition: dict[str, Any] = (
        {"etag": etag, "match_condition": MatchConditions.IfNotModified} if replaces else {}
    )
    try:
        done = await blob.upload_blob(
            content, overwrite=etag is not None, metadata=dict(metadata), **condition
        )
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise BlobChanged("the blob exists, or has changed in the meantime") from error
    except ResourceNotFoundError:
        if not replaces:
            raise
        raise BlobChanged("the blob is gone") from None
    new: str = done["etag"]
    return new
