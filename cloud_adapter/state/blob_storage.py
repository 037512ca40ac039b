"""BlobStorage: botbuilder's Storage, one blob for each item."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from botbuilder.core import Storage

from cloud_adapter.errors import BlobChanged, StateConflict, StorageUnavailable
from cloud_adapter.state.stored_json import E_TAG, from_text, to_text
from cloud_adapter.storage.blobs import ANY, Blob
from cloud_adapter.storage.memory_container import Container
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-state"


class BlobStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores the items of ConversationState, UserState and other users of a Storage.

    An item is anything that state can hold: a dict, a list, an Activity, a StoreItem, or an object
    of one of the bot's own classes. Items are copied when they are read and written.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: Container) -> None:
        self._blobs = blobs

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The items that exist, by key. Dicts, and objects that have an `e_tag`, get their ETag.

        Raises:
            StorageUnavailable: an item cannot be read, so it is not known whether it exists.
        """
        names = list(keys)
        found = await asyncio.gather(*(self.read_blob(key) for key in names))
        return {key: _item(blob) for key, blob in zip(names, found, strict=True) if blob}

    async def write(self, changes: Mapping[str, Any]) -> None:
        """Write items.

        As in the SDK's MemoryStorage, an item without an ETag, or with the ETag `*`, replaces
        what is stored. Any other ETag must match the stored item's, if there is one; the item then
        gets the new ETag, so that it can be written again.

        Args:
            changes: items by key.

        Raises:
            StateConflict: an item has changed since it was read.
            StorageUnavailable: the account does not answer, or refuses access.
            TypeError, ValueError: an item holds what state cannot hold.
        """
        await asyncio.gather(*(self._write(key, item) for key, item in changes.items()))

    async def _write(self, key: str, item: Any) -> None:
        is_dict = isinstance(item, dict)
        etag = item.get(E_TAG) if is_dict else getattr(item, E_TAG, None)
        content = {name: item[name] for name in item if name != E_TAG} if is_dict else item
        expected = ANY if etag is None else str(etag)
        new = await self._write_version(key, to_text(content).encode(), expected)
        if expected != ANY:
            _set_etag(item, new)

    async def _write_version(self, key: str, content: bytes, etag: str) -> str:
        with contextlib.suppress(BlobChanged):
            return await self.write_blob(key, content, etag)
        try:
            return await self.write_blob(key, content, None)  # there may be no blob to replace
        except BlobChanged as error:
            # The SDK's TeamsSSOTokenExchangeMiddleware looks for the first two words.
            text = "Etag conflict: an item of state has changed in the meantime"
            raise StateConflict(text) from error

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete items; those that do not exist are ignored.

        Raises:
            StorageUnavailable: the account does not answer, or refuses access.
        """
        await asyncio.gather(*(self._blobs.delete(name_part(key)) for key in keys))

    async def read_blob(self, key: str) -> Blob | None:
        """The blob of an item; None if there is no such item.

        Raises:
            StorageUnavailable: it cannot be read, so it is not known whether it exists.
        """
        return await self._blobs.read(name_part(key))

    async def write_blob(self, key: str, content: bytes, etag: str | None) -> str:
        """Write the blob of an item, and return its new ETag.

        Args:
            key: the item's key.
            content: the item's JSON.
            etag: the ETag of the version to replace; None: the item must not exist; ANY: replace
                any version.

        Raises:
            BlobChanged: the blob is another version, is gone, or exists although `etag` is None.
            StorageUnavailable: the account does not answer, or refuses access.
        """
        return await self._blobs.write(name_part(key), content, etag)


def stored_item(content: bytes) -> Any:
    """The item of a blob with this content.

    Raises:
        StorageUnavailable: the content is not an item, or cannot be read.
    """
    try:
        return from_text(content)
    except ValueError as error:
        raise StorageUnavailable(
            f"a blob in the container {CONTAINER} is not stored state"
        ) from error


def _item(blob: Blob) -> Any:
    item = stored_item(blob.content)
    _set_etag(item, blob.etag)
    return item


def _set_etag(item: Any, etag: str) -> None:
    if isinstance(item, dict):
        item[E_TAG] = etag
    elif hasattr(item, E_TAG):
        item.e_tag = etag
