"""LoadedState: a state as a turn has loaded it, the turn's changes, and the JSON that is stored.

Nothing is pickled; objects are created from an allow list only.
"""

import json
import math
import re
import sys
from collections.abc import Mapping
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple, Protocol

from cloud_adapter.errors import BlobChanged, StateConflict, StorageUnavailable, UnreadableState
from cloud_adapter.storage.blobs import Blob
from cloud_adapter.storage.format_version import FORMAT_VERSION, check_version

CONTAINER = "bot-state"
"""The container of stored state."""

_STORED = f"a blob in the container {CONTAINER}"
_HEAD = b"[%d," % FORMAT_VERSION
_VERSION = re.compile(rb"\[([0-9]+),")

EMPTY_STATE = b"%b{}]" % _HEAD
"""The content of a blob with a state that has no properties."""

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

E_TAG = "e_tag"
"""The key under which botbuilder's storages return an item's ETag, and expect it."""

TYPED = "~typed"
"""Marks items that contain objects: they are written as `["~typed", item]`."""


def to_text(item: object) -> str:
    """The JSON text of an item. Equal items have equal texts, unless their keys differ in order.

    Raises:
        TypeError: state cannot hold a value; the text names the property and the cure.
        ValueError: the item contains itself, nests too deeply, or contains a number without JSON
            form, such as NaN; the text names the property.
    """
    try:
        if type(item) is dict and _is_plain(item):
            return _ENCODER.encode(item)
    except (RecursionError, ValueError):
        pass  # the writer raises again, and names the property
    from cloud_adapter.state.objects.tagged_json import ObjectWriter  # here: few bots store objects

    writer = ObjectWriter()
    try:
        written = writer.write(item, "state")
    except RecursionError:
        raise ValueError("state nests too deeply") from None
    if type(item) is dict and not writer.is_typed:
        return _ENCODER.encode(item)
    return _ENCODER.encode([TYPED, written])


def from_text(text: str | bytes) -> Any:
    """The item of a text: a dict, if it is plain JSON.

    Raises:
        UnreadableState: the item contains an object that cannot be read, or nests too deeply; the
            error names the property.
        ValueError: the text is not stored state.
    """
    try:
        item = _parsed(text if isinstance(text, str) else text.decode())
        if type(item) is dict:
            return item
        if type(item) is list and len(item) == 2 and item[0] == TYPED:
            from cloud_adapter.state.objects.tagged_json import read

            return read(item[1], "state")
    except RecursionError:
        raise UnreadableState("state nests too deeply to be read") from None
    raise ValueError("the stored state is not a JSON object")


def to_content(item: object) -> bytes:
    """The content of an item's blob: a JSON array of the format version and the item.

    Raises:
        TypeError, ValueError: as `to_text`.
    """
    return b"%b%b]" % (_HEAD, to_text(item).encode())


def stored_item(content: bytes) -> Any:
    """The item of a blob with this content.

    Raises:
        UnknownFormat: it has another format version.
        StorageUnavailable: the content is not an item, or cannot be read.
    """
    found = _VERSION.match(content)
    check_version(_STORED, found[1].decode() if found else None)
    try:
        return from_text(content[len(_HEAD) : -1])
    except ValueError as error:
        raise StorageUnavailable(f"{_STORED} is not stored state") from error


def _parsed(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number that to_text does not write
        item = json.loads(text, parse_int=_short_int)
        if type(item) is dict:
            to_text(item)  # raises, and names the property; for a typed item, the reader does
        return item


def _short_int(digits: str) -> float:
    return int(digits) if len(digits) <= sys.get_int_max_str_digits() else math.inf


def _refuse(number: str) -> None:
    raise ValueError(f"{number} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)

_SCALARS = frozenset({str, int, bool, float, NoneType})


def _is_plain(value: Any) -> bool:
    """Whether a value is the same after JSON has written and read it."""
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                return False
        value = list(value.values())
    for item in value:
        kind = type(item)
        if kind not in _SCALARS and (kind not in (dict, list) or not _is_plain(item)):
            return False
    return True


TURN_IDS_KEY = "~turns"
"""The key of the last turns' ids in stored state. No bot gives a property this name."""

POSITION_KEY = "~inbox"
"""The key of the InboxPosition, likewise."""

STREAMS_KEY = "~streams"
"""The key of the messages that turns have begun with Replies, likewise."""

MAX_TURN_IDS = 100
"""The number of turns' ids that are stored."""

MAX_STREAMS = 100
"""The number of begun messages that are stored."""

MAX_WRITES = 5
"""The number of attempts to save a state. Each merges what another turn has written meanwhile."""


class InboxPosition(NamedTuple):
    """Up to where the queued activities of a conversation have been processed.

    Attributes:
        start: the position of the first byte of the inbox's blob, when it was read.
        next: the position of the first byte that is not processed.
        cut_offs: how often a process died while it ran the turn of the activity at `next`.
    """

    start: int
    next: int
    cut_offs: int = 0


class Blobs(Protocol):
    """Reads and writes the blobs of states, as ConversationLocks does."""

    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""

    async def write(self, name: str, content: bytes, etag: str | None) -> str:
        """Write a blob, and return its new ETag. Raises BlobChanged."""


class LoadedState:
    """A state in a turn, together with its stored version.

    Args:
        blob: the stored state; None: nothing is stored.

    Attributes:
        state: the bot's properties by name; the SDK's accessors read and change it.
        turn_ids: ids of the turns that have written the stored state, oldest first.
        position: as stored; None: no queued turn has written the state.
        streams: as stored: the ids of messages that turns have begun with Replies and whose turns
            have not ended, oldest first; see ConversationTurn. An empty id is not known yet.
        etag: the stored state's; None: nothing is stored.
        is_requested: whether the bot has called `save_changes`.
    """

    def __init__(self, blob: Blob | None) -> None:
        self._stored = blob.content if blob else EMPTY_STATE
        self.etag = blob.etag if blob else None
        self.state, self.turn_ids, self.position, self.streams = _parts(self._stored)
        self.is_requested = False

    @property
    def is_changed(self) -> bool:
        """Whether the bot has changed the state since it was read or written.

        Raises:
            TypeError, ValueError: a property holds what state cannot hold.
        """
        return self._content(self.turn_ids, self.position, self.streams) != self._stored

    async def save(
        self,
        blobs: Blobs,
        name: str,
        turn_id: str = "",
        position: InboxPosition | None = None,
        streams: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write the state, merged with what others have written in the meantime.

        Args:
            blobs: where it is stored.
            name: the name of its blob.
            turn_id: the id of the turn that writes it, whose begun messages are removed; empty: no
                id is added.
            position: replaces an earlier one.
            streams: the begun messages to add.

        Raises:
            StateConflict: another turn changed the same property.
            StorageUnavailable: the state cannot be written.
            TypeError, ValueError: a property holds what state cannot hold.
        """
        for _ in range(MAX_WRITES):
            ids, further = self._ids_with(turn_id), _further(self.position, position)
            begun = self._streams_with(streams, turn_id)
            content = self._content(ids, further, begun)
            try:
                etag = await blobs.write(name, content, self.etag)
            except BlobChanged:
                other = LoadedState(await blobs.read(name))
                if turn_id not in other.turn_ids or turn_id in self.turn_ids:
                    self.merge(other)
                    continue
                # It was our own write, whose response was lost.
                self._stored = content
                self.merge(other)
            else:
                self._stored, self.etag = content, etag
                self.turn_ids, self.position, self.streams = ids, further, begun
            return
        raise StateConflict("other turns keep changing the state")

    def catch_up(self, blob: Blob | None) -> None:
        """Merge a newer version, if it is not the one that was loaded; see `merge`."""
        if (blob.etag if blob else None) != self.etag:
            self.merge(LoadedState(blob))

    def merge(self, other: "LoadedState") -> None:
        """Apply this turn's changes to the version that another turn has stored in the meantime.

        Properties are compared in their stored form, because a bot's objects may not be comparable.

        Args:
            other: the version that is stored now, without changes.

        Raises:
            StateConflict: both turns changed the same property; nothing is applied.
        """
        before, *_ = _parts(self._stored)
        names = {*before, *other.state}
        theirs = [name for name in names if _text(before, name) != _text(other.state, name)]
        for name in theirs:
            if _text(self.state, name) != _text(before, name):
                raise StateConflict(f"two turns changed the property {name!r:.80} of state")
        self._stored, self.etag = other._stored, other.etag
        self.turn_ids, self.position, self.streams = other.turn_ids, other.position, other.streams
        for name in theirs:
            if name in other.state:
                self.state[name] = other.state[name]
            else:
                del self.state[name]

    def _content(
        self, turn_ids: list[str], position: InboxPosition | None, streams: Mapping[str, str]
    ) -> bytes:
        """The JSON to write."""
        item = self.state
        if turn_ids:
            item = {**item, TURN_IDS_KEY: turn_ids}
        if position:
            item = {**item, POSITION_KEY: list(position)}
        if streams:
            item = {**item, STREAMS_KEY: streams}
        return to_content(item)

    def _ids_with(self, turn_id: str) -> list[str]:
        if not turn_id or turn_id in self.turn_ids:
            return self.turn_ids
        return [*self.turn_ids, turn_id][-MAX_TURN_IDS:]

    def _streams_with(self, begun: Mapping[str, str], ended: str) -> dict[str, str]:
        """The begun messages with more of them, and without those of a turn that has ended."""
        kept = {
            key: own_id
            for key, own_id in self.streams.items()
            if key not in begun and not (ended and key.startswith(ended))
        }
        return dict([*kept.items(), *begun.items()][-MAX_STREAMS:])


def _parts(
    content: bytes,
) -> tuple[dict[str, Any], list[str], InboxPosition | None, dict[str, str]]:
    """The properties, the turn ids, the position and the begun messages in stored JSON."""
    item = stored_item(content)
    if not isinstance(item, dict):
        raise StorageUnavailable("the item that is stored for a state is not a state")
    ids: list[str] = item.pop(TURN_IDS_KEY, [])
    position = item.pop(POSITION_KEY, None)
    streams: dict[str, str] = item.pop(STREAMS_KEY, {})
    return item, ids, InboxPosition(*position) if position else None, streams


def _further(one: InboxPosition | None, other: InboxPosition | None) -> InboxPosition | None:
    """The further of two positions; None if there is neither."""
    found = filter(None, (one, other))
    return max(found, key=lambda each: (each.next, each.cut_offs), default=None)


def _text(properties: dict[str, Any], name: str) -> str:
    """A property in its stored form; empty if there is none."""
    return to_text({name: properties[name]}) if name in properties else ""
