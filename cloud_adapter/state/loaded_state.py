"""LoadedState: a state as a turn has loaded it, and the changes that the turn has made."""

from typing import Any

from cloud_adapter.errors import StateConflict
from cloud_adapter.state.stored_json import E_TAG, from_text, to_text

TURN_IDS_KEY = "~turns"
"""The key under which the ids of the last turns are stored: no bot gives a property this name."""

MAX_TURN_IDS = 100
"""How many of them are stored."""

_MISSING = object()


class LoadedState:
    """A state in a turn, beside what is stored of it.

    Attributes:
        state: the bot's properties by name; the SDK's accessors read and change it.
        turn_ids: ids of the turns that wrote what is stored, oldest first.
        is_saved: this turn has stored changes already.
    """

    def __init__(self, item: dict[str, Any] | None) -> None:
        self.is_saved = False
        self.state: dict[str, Any] = {}
        self._set_stored(item)
        self.state.update(from_text(self._stored))

    def _set_stored(self, item: dict[str, Any] | None) -> None:
        properties = dict(item or {})
        self._etag = properties.pop(E_TAG, None)
        self.turn_ids: list[str] = properties.pop(TURN_IDS_KEY, [])
        self._stored = to_text(properties)

    @property
    def is_changed(self) -> bool:
        """Whether the bot has changed the state since it was read or written."""
        return self._stored != to_text(self.state)

    def item(self, turn_id: str) -> dict[str, Any]:
        """The item to write.

        Args:
            turn_id: the id of the turn that writes it; empty: no id is added.
        """
        ids = [*self.turn_ids, turn_id][-MAX_TURN_IDS:] if turn_id else self.turn_ids
        item = {**self.state, TURN_IDS_KEY: ids} if ids else dict(self.state)
        return item if self._etag is None else {**item, E_TAG: self._etag}

    def mark_saved(self, item: dict[str, Any]) -> None:
        """Take over what was written as what is stored.

        Args:
            item: as written, with its new ETag.
        """
        self.is_saved = True
        self._set_stored(item)

    def merge(self, item: dict[str, Any] | None) -> None:
        """Apply this turn's changes to what another turn has stored in the meantime.

        Args:
            item: as stored now; None: it was deleted.

        Raises:
            StateConflict: both turns changed the same property.
        """
        before = from_text(self._stored)
        self._set_stored(item)
        theirs = from_text(self._stored)
        for name in {*before, *theirs}:
            was, now = before.get(name, _MISSING), theirs.get(name, _MISSING)
            if was == now:
                continue
            if self.state.get(name, _MISSING) != was:
                raise StateConflict(f"two turns changed the property {name!r:.80} of state")
            if now is _MISSING:
                del self.state[name]
            else:
                self.state[name] = now
