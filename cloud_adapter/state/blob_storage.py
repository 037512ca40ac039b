"""BlobStorage: botbuilder's Storage, one blob for each item."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from botbuilder.core import Storage

from cloud_adapter.errors import BlobChanged, StateConflict
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import E_TAG, stored_item, to_content
from cloud_adapter.storage.blobs import ANY, Blob, name_part


class BlobStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores the items of ConversationState, UserState and other users of a Storage.

    An item is anything that state can hold: a dict, a list, an Activity, a StoreItem, or an object
    of one of the bot's own classes. Items are copied when they are read and written.

    Args:
        blobs: the items' blobs, some of which turns have locked.
    """

    def __init__(self, blobs: ConversationLocks) -> None:
        self.blobs = blobs

    @on_home_loop
    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The items that exist, by key. Dicts, and objects that have an `e_tag`, get their ETag.

        Raises:
            StorageUnavailable: an item cannot be read, so it is not known whether it exists.
        """
        names = list(keys)
        found = await asyncio.gather(*(self.blobs.read(name_part(key)) for key in names))
        return {key: _item(blob) for key, blob in zip(names, found, strict=True) if blob}

    @on_home_loop
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
            ConversationBusy: a turn in another process keeps an item from being written.
            TypeError, ValueError: an item holds what state cannot hold.
        """
        await asyncio.gather(*(self._write(key, item) for key, item in changes.items()))

    async def _write(self, key: str, item: Any) -> None:
        is_dict = isinstance(item, dict)
        etag = item.get(E_TAG) if is_dict else getattr(item, E_TAG, None)
        content = {name: item[name] for name in item if name != E_TAG} if is_dict else item
        expected = ANY if etag is None else str(etag)
        new = await self._write_version(key, to_content(content), expected)
        if expected != ANY:
            _set_etag(item, new)

    async def _write_version(self, key: str, content: bytes, etag: str) -> str:
        name = name_part(key)
        with contextlib.suppress(BlobChanged):
            return await self.blobs.write(name, content, etag)
        try:
            return await self.blobs.write(name, content, None)  # there may be no blob to replace
        except BlobChanged as error:
            # The SDK's TeamsSSOTokenExchangeMiddleware looks for the first two words.
            text = "Etag conflict: an item of state has changed in the meantime"
            raise StateConflict(text) from error

    @on_home_loop
    async def delete(self, keys: Iterable[str]) -> None:
        """Delete items; those that do not exist are ignored.

        Raises:
            StorageUnavailable: the account does not answer, or refuses access.
        """
        await asyncio.gather(*(self.blobs.delete(name_part(key)) for key in keys))


def _item(blob: Blob) -> Any:
    item = stored_item(blob.content)
    _set_etag(item, blob.etag)
    return item


def _set_etag(item: Any, etag: str) -> None:
    if isinstance(item, dict):
        item[E_TAG] = etag
    elif hasattr(item, E_TAG):
        item.e_tag = etag
