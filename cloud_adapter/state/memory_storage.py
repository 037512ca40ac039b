"""MemoryStorage: state in this process's memory, with the rules of BlobStorage."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from botbuilder.core import Storage

from cloud_adapter.errors import StateConflict
from cloud_adapter.state.stored_json import E_TAG, from_text, to_text


class MemoryStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores state until the process ends, where no storage account is configured.

    The SDK's MemoryStorage returns the stored objects themselves, so that a turn that fails has
    changed them all the same.
    """

    def __init__(self) -> None:
        self._items: dict[str, tuple[str, str]] = {}
        self._versions = count(1)

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The items that exist, by key; each with its ETag under `e_tag`."""
        found = {key: self._items[key] for key in keys if key in self._items}
        return {key: {**from_text(text), E_TAG: etag} for key, (text, etag) in found.items()}

    async def write(self, changes: Mapping[str, dict[str, Any]]) -> None:
        """Write items; each gets its new ETag. See BlobStorage.

        Raises:
            StateConflict: an item has changed since it was read, or exists already.
            TypeError, ValueError: an item has no JSON form.
        """
        for key, item in changes.items():
            text = to_text({name: value for name, value in item.items() if name != E_TAG})
            stored, etag = self._items.get(key), item.get(E_TAG)
            if etag not in (stored[1] if stored else None, "*"):
                raise StateConflict("an item of state has changed in the meantime")
            item[E_TAG] = str(next(self._versions))
            self._items[key] = (text, item[E_TAG])

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete items; those that do not exist are ignored."""
        for key in keys:
            self._items.pop(key, None)
