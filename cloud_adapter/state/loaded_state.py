"""LoadedState: a state as a turn has loaded it, and the changes that the turn has made."""

from typing import Any

from cloud_adapter.errors import StateConflict, StorageUnavailable
from cloud_adapter.state.blob_storage import stored_item
from cloud_adapter.state.stored_json import to_text
from cloud_adapter.storage.blobs import Blob

TURN_IDS_KEY = "~turns"
"""The key of the last turns' ids in stored state. No bot gives a property this name."""

MAX_TURN_IDS = 100
"""How many turns' ids are stored."""


class LoadedState:
    """A state in a turn, together with its stored version.

    Args:
        blob: the stored state; None: nothing is stored.

    Attributes:
        state: the bot's properties by name; the SDK's accessors read and change it.
        turn_ids: ids of the turns that have written the stored state, oldest first.
        etag: the stored state's; None: nothing is stored.
        is_requested: whether the bot has called `save_changes`.
    """

    def __init__(self, blob: Blob | None) -> None:
        self._stored = blob.content if blob else b"{}"
        self.etag = blob.etag if blob else None
        self.state, self.turn_ids = _parts(self._stored)
        self.is_requested = False

    @property
    def is_changed(self) -> bool:
        """Whether the bot has changed the state since it was read or written.

        Raises:
            TypeError, ValueError: a property holds what state cannot hold.
        """
        return self.content("") != self._stored

    def content(self, turn_id: str) -> bytes:
        """The JSON to write.

        Args:
            turn_id: the id of the turn that writes it; empty: no id is added.

        Raises:
            TypeError, ValueError: a property holds what state cannot hold.
        """
        ids = self._ids_with(turn_id)
        return to_text({**self.state, TURN_IDS_KEY: ids} if ids else self.state).encode()

    def mark_saved(self, turn_id: str, content: bytes, etag: str | None) -> None:
        """Note that the state has been written.

        Args:
            turn_id: as in `content`.
            content: as written.
            etag: the new ETag.
        """
        self.turn_ids = self._ids_with(turn_id)
        self._stored, self.etag = content, etag

    def merge(self, other: "LoadedState") -> None:
        """Apply this turn's changes to the version that another turn has stored in the meantime.

        Properties are compared in their stored form, because a bot's objects may not be comparable.

        Args:
            other: the version that is stored now, without changes.

        Raises:
            StateConflict: both turns changed the same property; nothing is applied.
        """
        before, _ = _parts(self._stored)
        names = {*before, *other.state}
        theirs = [name for name in names if _text(before, name) != _text(other.state, name)]
        for name in theirs:
            if _text(self.state, name) != _text(before, name):
                raise StateConflict(f"two turns changed the property {name!r:.80} of state")
        self._stored, self.etag, self.turn_ids = other._stored, other.etag, other.turn_ids
        for name in theirs:
            if name in other.state:
                self.state[name] = other.state[name]
            else:
                del self.state[name]

    def _ids_with(self, turn_id: str) -> list[str]:
        if not turn_id or turn_id in self.turn_ids:
            return self.turn_ids
        return [*self.turn_ids, turn_id][-MAX_TURN_IDS:]


def _parts(content: bytes) -> tuple[dict[str, Any], list[str]]:
    """The properties and the turn ids in stored JSON."""
    item = stored_item(content)
    if not isinstance(item, dict):
        raise StorageUnavailable("the item that is stored for a state is not a state")
    ids: list[str] = item.pop(TURN_IDS_KEY, [])
    return item, ids


def _text(properties: dict[str, Any], name: str) -> str:
    """A property in its stored form; empty if there is none."""
    return to_text({name: properties[name]}) if name in properties else ""
