"""Inbox: the accepted activities of a conversation, one after the other in an append blob.

    inbox/CONVERSATION    the records; its metadata has the position of its first byte, `start`

Positions count bytes since the inbox was created. A conversation's state says up to which position
the records are processed, so that one write stores both what a turn changed and that it is done.
Records that are processed are removed now and then: the blob is replaced by an empty one, whose
`start` is the position of the next record. A new inbox starts at the time in nanoseconds, so a
position never fits any inbox but its own.
"""

import asyncio
import contextlib
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botbuilder.schema import Activity

from cloud_adapter.activities import name_channel_id
from cloud_adapter.codec import read_model
from cloud_adapter.errors import BlobChanged, StorageUnavailable, UnreadableActivity
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import InboxPosition
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.format_version import FORMAT_VERSION, VERSION_KEY, check_version

WAITING, RUNNING, FAILED = "waiting", "running", "failed"
"""States: it waits for its turn; its turn runs, or its process has died; it is dead-lettered."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""The errors of reading a blob that does not hold an activity."""

_HEAD = re.compile(rb'\{"v": [0-9]+, "id": "([0-9a-f]+)", "accepted": ([0-9]+), ')
"""The start of a record in every format version. The metadata of a blob are also the same in each,
so that any version of the base can set any activity aside."""


def record(
    activity_id: str,
    accepted_at: int,
    claims: Mapping[str, Any],
    body: bytes,
    trace_parent: str = "",
) -> bytes:
    """An accepted activity as a record of an inbox: a line of JSON.

    Args:
        activity_id: hex digits that identify the activity in its conversation.
        accepted_at: nanoseconds since the epoch.
        claims: the claims of the caller, which have been checked.
        body: the activity's JSON, as received.
        trace_parent: hex digits and hyphens, see `AcceptedActivity`; empty: none is stored.
    """
    trace = b'"trace": "%b", ' % trace_parent.encode() if trace_parent else b""
    head = (activity_id.encode(), accepted_at, trace, json.dumps(dict(claims)).encode())
    # In JSON, a newline is white space: within texts, it is escaped.
    line = body.replace(b"\n", b" ")
    text = b'{"v": %d, "id": "%b", "accepted": %d, %b"claims": %b, "activity": %b}\n'
    return text % (FORMAT_VERSION, *head, line)


@dataclass(frozen=True)
class AcceptedActivity:
    """An activity that a channel has sent, and who sent it.

    Attributes:
        claims: the claims of the caller, which have been checked.
        activity: an Activity.
        failure: the redacted traceback of its last attempt; empty if it is not dead-lettered.
        accepted_at: nanoseconds since the epoch; 0: not known.
        trace_parent: the W3C trace context of the request that brought it; empty if none is stored,
            because telemetry was off.
    """

    claims: Mapping[str, Any]
    activity: Any
    failure: str
    accepted_at: int = 0
    trace_parent: str = ""


@dataclass(frozen=True)
class StoredActivity:
    """An activity that waits for its turn, or is dead-lettered.

    Attributes:
        name: the conversation's name, a slash, and the activity's id: the blob's name, if it has a
            blob of its own.
        accepted_at: nanoseconds since the epoch; 0: not known.
        attempts: runs of its turn that failed, were cut off, or are under way.
        state: WAITING, RUNNING or FAILED.
        content: JSON.
        cut_offs: attempts during which the process died.
    """

    name: str
    accepted_at: int
    attempts: int
    state: str
    content: bytes = field(default=b"", repr=False)
    cut_offs: int = 0

    @classmethod
    def of_record(cls, conversation: str, content: bytes) -> "StoredActivity":
        """The activity of a record in a conversation's inbox."""
        head = _HEAD.match(content)
        if head is None:  # it is unreadable, and needs a name as a dead letter
            digest = hashlib.sha256(content).hexdigest()
            return cls(f"{conversation}/{digest}", 0, 0, WAITING, content)
        name = f"{conversation}/{head[1].decode()}"
        return cls(name, int(head[2]), 0, WAITING, content)

    @classmethod
    def of_blob(cls, name: str, content: bytes, metadata: Mapping[str, str]) -> "StoredActivity":
        """The activity of a blob. The keys of the metadata are a stored format."""
        accepted_at, attempts, cut_offs = (
            int(metadata.get(key, "0")) for key in ("accepted", "tries", "cutoffs")
        )
        state = metadata.get("state", WAITING)
        return cls(name, accepted_at, attempts, state, content, cut_offs)

    @property
    def metadata(self) -> dict[str, str]:
        """The blob's metadata."""
        return {
            "state": self.state,
            "accepted": f"{self.accepted_at}",
            "tries": f"{self.attempts}",
            "cutoffs": f"{self.cut_offs}",
        }

    @property
    def id(self) -> str:
        """The activity's id, hex digits that identify it in its conversation."""
        return self.name.partition("/")[2]

    def after_cut_off(self) -> "StoredActivity":
        """The activity as it waits again. If its turn was running, this counts a cut-off.

        For whoever has locked the conversation, so that the turn cannot be running any more.
        """
        if self.state != RUNNING:
            return self
        return replace(self, state=WAITING, cut_offs=self.cut_offs + 1)

    def parse(self) -> AcceptedActivity:
        """The activity in the content.

        Raises:
            UnreadableActivity: it is not an activity.
            UnknownFormat: it has another format version.
        """
        try:
            data = json.loads(self.content)
            check_version("a stored activity", data.get(VERSION_KEY))
            name_channel_id(data["activity"])
            activity = read_model(Activity, data["activity"])
            failure, trace_parent = data.get("failure", ""), str(data.get("trace", ""))
            return AcceptedActivity(
                data["claims"], activity, failure, self.accepted_at, trace_parent
            )
        except UNREADABLE as error:
            # From None: the error may quote the activity.
            kind = type(error).__name__
            raise UnreadableActivity(f"the stored activity cannot be read ({kind})") from None


@dataclass(frozen=True)
class Records:
    """Records that were read.

    Attributes:
        start: the inbox's.
        first: the position of the first one.
        content: whole records.
        etag: the version of the inbox that was read; empty: there is none, or it is empty.
        are_last: no more follow in that version.
    """

    start: int
    first: int
    content: bytes
    etag: str
    are_last: bool

    def __iter__(self) -> Iterator[tuple[bytes, InboxPosition, InboxPosition]]:
        """Each record, with the positions before and behind it."""
        end = 0
        while end < len(self.content):
            begin, end = end, self.content.find(b"\n", end) + 1 or len(self.content)
            before, behind = (InboxPosition(self.start, self.first + at) for at in (begin, end))
            yield self.content[begin:end], before, behind


READ_BYTES = 256 * 1024
"""The bytes of an inbox that are read at a time. Draining a long one takes little memory that way.
"""

LONG_READ_BYTES = 2 * 1024 * 1024
"""The bytes that are read if READ_BYTES do not hold a whole record. Every record that the bot
writes is shorter: a body has at most MAX_BODY_BYTES."""

MIN_TRUNCATED_BYTES = 64 * 1024
"""An inbox keeps fewer bytes of records that are processed."""

USER_TOKEN = b'"tokens/response"'
"""The name of the event that brings a user's token. An inbox that has it is truncated at once."""

START = "start"


class Inbox:
    """The inboxes of all conversations. Each method raises StorageUnavailable.

    Args:
        blobs: the container of the inboxes.
        locks: create the conversations' states.
    """

    def __init__(self, blobs: BlobContainer, locks: ConversationLocks) -> None:
        self._blobs = blobs
        self._locks = locks

    async def append(self, conversation: str, records: bytes) -> None:
        """Append records. When an answer is lost, they may be appended twice."""
        blob = _blob_name(conversation)
        if await self._blobs.append(blob, records):
            return
        # The state must exist before the records, because its lease locks the conversation.
        await asyncio.gather(self._create(blob), self._locks.create(conversation))
        if not await self._blobs.append(blob, records):
            raise StorageUnavailable("an inbox was created, and is gone")

    async def _create(self, blob: str) -> None:
        with contextlib.suppress(BlobChanged):  # another process was quicker
            await self._blobs.create_append(blob, None, {START: f"{time.time_ns()}"})

    async def read(self, conversation: str, position: InboxPosition | None) -> Records:
        """The records from a position on; None: from the beginning. There may be more."""
        records = await self._read(conversation, position, READ_BYTES)
        if records.are_last or records.content.endswith(b"\n"):
            return records
        # The first record is longer, or is not ours.
        return await self._read(conversation, position, LONG_READ_BYTES)

    async def _read(
        self, conversation: str, position: InboxPosition | None, length: int
    ) -> Records:
        # From one byte before: nothing at all is read only if the inbox is shorter by now.
        offset = max(position.next - position.start - 1, 0) if position else 0
        blob = await self._blobs.read_range(_blob_name(conversation), offset, length)
        if blob and position and blob.metadata.get(START) != f"{position.start}":
            offset = 0  # it was truncated since, or is another inbox
            blob = await self._blobs.read_range(_blob_name(conversation), 0, length)
        if not blob or not blob.content:
            return Records(0, 0, b"", "", are_last=True)
        first = start = int(blob.metadata[START])
        if position and start >= position.start:
            first = max(start, position.next)
        begin = first - start - offset
        end = blob.content.rfind(b"\n", begin) + 1 or len(blob.content)
        content, are_last = blob.content[begin:end], len(blob.content) < length
        return Records(start, first, content, blob.etag, are_last)

    async def truncate(self, conversation: str, records: Records) -> None:
        """Remove all records, up to those that were read last, unless others have come since."""
        end = records.first + len(records.content)
        if end - records.start >= MIN_TRUNCATED_BYTES or USER_TOKEN in records.content:
            metadata = {START: f"{end}"}
            with contextlib.suppress(BlobChanged):
                await self._blobs.create_append(_blob_name(conversation), records.etag, metadata)


def _blob_name(conversation: str) -> str:
    return f"inbox/{conversation}"
