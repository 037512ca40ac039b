"""MemoryContainer: a container in this process's memory that behaves like BlobContainer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count

from cloud_adapter.errors import BlobChanged
from cloud_adapter.storage.blobs import ANY, Blob, BlobContainer, BlobEntry
from cloud_adapter.storage.request import NOTHING


class MemoryContainer:
    """Stores blobs until the process ends; used if no storage account is configured.

    It has the methods of BlobContainer that state, references and transcripts need.
    """

    def __init__(self) -> None:
        self._blobs: dict[str, Blob] = {}
        self._versions = count(1)  # shared by all blobs, so that no ETag is ever reused

    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""
        return self._blobs.get(name)

    async def write(
        self,
        name: str,
        content: bytes,
        etag: str | None,
        metadata: Mapping[str, str] = NOTHING,
        lease_id: str | None = None,
    ) -> str:
        """Write a blob, and return its new ETag; see BlobContainer.

        Raises:
            BlobChanged: the blob is another version, is gone, or exists although `etag` is None.
        """
        found = self._blobs.get(name)
        if etag not in (ANY, found.etag if found else None):
            raise BlobChanged("the blob exists, has changed in the meantime, or is gone")
        new = f'"{next(self._versions)}"'
        self._blobs[name] = Blob(content, new, dict(metadata))
        return new

    async def delete(self, name: str, lease_id: str | None = None) -> None:
        """Delete a blob, if it exists."""
        self._blobs.pop(name, None)

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete blobs; those that do not exist are ignored."""
        for name in names:
            self._blobs.pop(name, None)

    async def list(self, prefix: str = "") -> AsyncIterator[BlobEntry]:
        """The blobs whose names begin with a prefix, in the order of their names."""
        for name in sorted(each for each in self._blobs if each.startswith(prefix)):
            if (blob := self._blobs.get(name)) is not None:
                yield BlobEntry(name, blob.metadata)

    async def acquire_lease(self, name: str, lease_id: str) -> str | None:
        """A blob's ETag; None if it does not exist. There is no other process to lease it."""
        blob = self._blobs.get(name)
        return blob and blob.etag

    async def renew_lease(self, name: str, lease_id: str) -> bool:
        """Do nothing."""
        return True

    async def change_lease(self, name: str, lease_id: str, new_id: str) -> bool:
        """Do nothing."""
        return True

    async def release_lease(self, name: str, lease_id: str) -> None:
        """Do nothing."""

    def forget_lease(self, name: str, lease_id: str) -> None:
        """Do nothing."""


Container = BlobContainer | MemoryContainer
"""A container in the storage account, or in memory if there is no account."""
