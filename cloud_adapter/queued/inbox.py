"""Inbox: the accepted activities of a conversation, one after the other in an append blob.

    inbox/CONVERSATION    the records; its metadata has the position of its first byte, `start`

Positions count bytes since the inbox was created. A conversation's state says up to which position
the records are processed, so that one write stores both what a turn changed and that it is done.
Records that are processed are removed now and then: the blob is replaced by an empty one, whose
`start` is the position of the next record. A new inbox starts at the time in nanoseconds, so a
position never fits into another inbox than its own.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from cloud_adapter.errors import BlobChanged, StorageUnavailable
from cloud_adapter.state.loaded_state import InboxPosition
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.blobs import BlobContainer

READ_BYTES = 256 * 1024
"""How much of an inbox is read at a time. Draining a long one takes little memory that way."""

LONG_READ_BYTES = 2 * 1024 * 1024
"""How much is read if READ_BYTES do not hold a whole record. Every record that the bot writes is
shorter: a body has at most MAX_BODY_BYTES."""

MIN_TRUNCATED_BYTES = 64 * 1024
"""An inbox keeps fewer bytes of records that are processed."""

USER_TOKEN = b'"tokens/response"'
"""The name of the event that brings a user's token. An inbox that has it is truncated at once."""

START = "start"


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
        if await self._blobs.append(blob, records, creates=False):
            return
        # The state must exist before the records, because its lease locks the conversation.
        await asyncio.gather(self._create(blob), self._locks.create(conversation))
        if not await self._blobs.append(blob, records, creates=False):
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
