"""Blobs: one container of the bot's storage account."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

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
    from azure.storage.blob.aio import BlobClient, ContainerClient

ANY = "*"
"""In the place of an ETag: whatever is there is replaced."""

LEASE_SECONDS = 15
"""Of a lease: the shortest that there is, for a process that dies with one."""

_MISSING = {"BlobNotFound", "ContainerNotFound", "ResourceNotFound"}
"""Codes of a 404 that comes from the account itself, and not from something before it."""

_NO_METADATA: Mapping[str, str] = MappingProxyType({})


class Blob(NamedTuple):
    """A blob as it was read.

    Attributes:
        content: bytes.
        etag: of this version.
        metadata: names and values in ASCII.
    """

    content: bytes
    etag: str
    metadata: Mapping[str, str]


class BlobEntry(NamedTuple):
    """A blob in a listing.

    Attributes:
        name: its name.
        metadata: names and values in ASCII.
    """

    name: str
    metadata: Mapping[str, str]


class BlobContainer:
    """A container, made when something is written into it for the first time.

    Each method raises StorageUnavailable when the account does not answer, or refuses.

    Args:
        account: the bot's.
        container: the container's name.
    """

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container

    async def read(self, name: str) -> Blob | None:
        """The blob; None when there is none."""
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

    async def metadata(self, name: str) -> Mapping[str, str] | None:
        """A blob's metadata; None when there is no such blob."""
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
            name: its name.
            content: bytes.
            etag: of the version that is replaced; None: it must be new; ANY.
            metadata: names and values in ASCII.

        Raises:
            BlobChanged: the blob is another one, or there already.
        """
        blob = await self._blob(name)
        async with storage_call():
            try:
                return await _upload(blob, content, etag, metadata)
            except ResourceNotFoundError:  # no container: there is no other cause for a new blob
                if etag not in (None, ANY):
                    raise BlobChanged("the blob is gone") from None
                await self._create()
                return await _upload(blob, content, etag, metadata)

    async def append(self, name: str, content: bytes) -> None:
        """Add to the end of a blob, which is made if it is not there.

        What was added without an answer may be there twice.

        Args:
            name: of a blob that only grows.
            content: up to 4 MiB; a blob takes 50,000 such pieces.
        """
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.append_block(content)
            except ResourceNotFoundError:
                await self._make_appendable(blob)
                await blob.append_block(content)

    async def set_metadata(self, name: str, metadata: Mapping[str, str]) -> None:
        """Replace a blob's metadata, if it is there."""
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.set_blob_metadata(dict(metadata))
            except ResourceNotFoundError:
                return

    async def delete(self, name: str) -> None:
        """Delete a blob, if it is there."""
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.delete_blob()
            except ResourceNotFoundError:
                return

    async def delete_all(self, names: Sequence[str]) -> None:
        """Delete up to 256 blobs in one request, as far as they are there."""
        container = await self._client()
        async with storage_call():
            await container.delete_blobs(*names, raise_on_any_failure=False)

    async def list(self, prefix: str = "") -> AsyncIterator[BlobEntry]:
        """The blobs whose names begin like this, in the order of their names."""
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

    async def lease(self, name: str, lease_id: str) -> bool:
        """Take the lease of a blob, which is made if it is not there; False: another has it.

        Args:
            name: its name.
            lease_id: GUID of the taker; who has it already may take it again.
        """
        blob = await self._blob(name)
        async with storage_call():
            try:
                await blob.acquire_lease(LEASE_SECONDS, lease_id=lease_id)
            except ResourceNotFoundError:
                await self._make(blob)
                return await self.lease(name, lease_id)
            except HttpResponseError as error:
                if error.status_code != 409:
                    raise
                return False
            return True

    async def renew(self, name: str, lease_id: str) -> bool:
        """Renew a lease; False: it is lost."""
        from azure.storage.blob.aio import BlobLeaseClient

        lease = BlobLeaseClient(await self._blob(name), lease_id)
        async with storage_call():
            try:
                await lease.renew()
            except HttpResponseError as error:
                if error.status_code not in (404, 409, 412):
                    raise
                return False
            return True

    async def release(self, name: str, lease_id: str) -> None:
        """Give a lease back, if it is still held."""
        from azure.storage.blob.aio import BlobLeaseClient

        lease = BlobLeaseClient(await self._blob(name), lease_id)
        async with storage_call():
            try:
                await lease.release()
            except HttpResponseError as error:
                if error.status_code not in (404, 409, 412):
                    raise

    async def _make(self, blob: "BlobClient") -> None:
        try:
            await _upload(blob, b"", None, _NO_METADATA)
        except ResourceNotFoundError:
            await self._create()
            await self._make(blob)
        except BlobChanged:
            return  # another one was quicker

    async def _make_appendable(self, blob: "BlobClient") -> None:
        try:
            await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
        except (ResourceExistsError, ResourceModifiedError):
            return  # another one was quicker
        except ResourceNotFoundError:
            await self._create()
            await self._make_appendable(blob)

    async def _create(self) -> None:
        try:
            await (await self._client()).create_container()
        except ResourceExistsError:
            return

    async def _client(self) -> "ContainerClient":
        return (await self._account.blobs()).get_container_client(self._container)

    async def _blob(self, name: str) -> "BlobClient":
        return (await self._account.blobs()).get_blob_client(self._container, name)


def _check_missing(error: ResourceNotFoundError) -> None:
    """Raise the error again, unless it is the account that says that there is no such blob."""
    if getattr(error, "error_code", "") not in _MISSING:
        raise error


async def _upload(
    blob: "BlobClient", content: bytes, etag: str | None, metadata: Mapping[str, str]
) -> str:
    try:
        if etag is None:
            done = await blob.upload_blob(content, overwrite=False, metadata=dict(metadata))
        elif etag == ANY:
            done = await blob.upload_blob(content, overwrite=True, metadata=dict(metadata))
        else:
            done = await blob.upload_blob(
                content,
                overwrite=True,
                metadata=dict(metadata),
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise BlobChanged("the blob exists already, or was changed meanwhile") from error
    new: str = done["etag"]
    return new
