"""BlobStorage: botbuilder's storage on Azure Storage, one blob for each item."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from botbuilder.core import Storage

from cloud_adapter.errors import BlobChanged, StateConflict, StorageUnavailable
from cloud_adapter.state.stored_json import E_TAG, from_text, to_text
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-state"


class BlobStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores the items of ConversationState and UserState, and of others that use a Storage.

    Items are JSON. Every write is conditional: an item that was read is replaced only if nobody has
    changed it since, and a new one is written only if there is none.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: BlobContainer) -> None:
        self._blobs = blobs

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The items that exist, by key; each with its ETag under `e_tag`.

        Raises:
            StorageUnavailable: an item cannot be read, so that nothing is known of it.
        """
        names = list(keys)
        found = await asyncio.gather(*(self._read(key) for key in names))
        return {key: item for key, item in zip(names, found, strict=True) if item is not None}

    async def _read(self, key: str) -> dict[str, Any] | None:
        blob = await self._blobs.read(name_part(key))
        if blob is None:
            return None
        try:
            return {**from_text(blob.content), E_TAG: blob.etag}
        except ValueError as error:
            raise StorageUnavailable(
                f"a blob in the container {CONTAINER} is not stored state"
            ) from error

    async def write(self, changes: Mapping[str, dict[str, Any]]) -> None:
        """Write items; each gets its new ETag, so that it can be written again.

        Args:
            changes: items by key, with the ETag that they were read with; without one, an item must
                not exist. The ETag `*` replaces whatever is stored.

        Raises:
            StateConflict: an item has changed since it was read, or exists already.
            StorageUnavailable: the account does not answer, or refuses access.
            TypeError, ValueError: an item has no JSON form.
        """
        await asyncio.gather(*(self._write(key, item) for key, item in changes.items()))

    async def _write(self, key: str, item: dict[str, Any]) -> None:
        text = to_text({name: value for name, value in item.items() if name != E_TAG})
        try:
            item[E_TAG] = await self._blobs.write(name_part(key), text.encode(), item.get(E_TAG))
        except BlobChanged as error:
            raise StateConflict("an item of state has changed in the meantime") from error

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete items; those that do not exist are ignored.

        Raises:
            StorageUnavailable: the account does not answer, or refuses access.
        """
        await asyncio.gather(*(self._blobs.delete(name_part(key)) for key in keys))
