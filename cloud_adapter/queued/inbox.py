"""Inbox: the accepted activities, one blob each.

    CONVERSATION/ACTIVITY                     the activity; empty once it is processed
    waiting/CONVERSATION/ACCEPTED/ACTIVITY    its marker, while it waits for its turn

A processed activity's blob stays for a while, so that another delivery of the activity finds it.
Markers are apart from the blobs, so that listing those that wait does not list all others.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from cloud_adapter.codec.activity_key import activity_key
from cloud_adapter.errors import BlobChanged, StorageUnavailable
from cloud_adapter.queued.stored_activity import (
    DONE,
    FAILED,
    MARKERS,
    UNREADABLE,
    WAITING,
    StoredActivity,
)
from cloud_adapter.state.lock import conversation_name
from cloud_adapter.storage.blobs import ANY, BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-turns"

RETENTION_SECONDS = 3600.0
"""How long the blob of a processed activity stays after the activity was accepted."""

CLEAN_UP_INTERVAL = 50
"""About every how many processed activities of a conversation old blobs are deleted."""


class Inbox:
    """Stores accepted activities until they are processed.

    Each method raises StorageUnavailable when the account does not answer, or refuses access.

    Args:
        blobs: the container.
        clock: returns nanoseconds since the epoch.
    """

    def __init__(self, blobs: BlobContainer, clock: Callable[[], int] = time.time_ns) -> None:
        self._blobs = blobs
        self._clock = clock

    async def store(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> StoredActivity:
        """Store an activity; one that is stored already is returned in whatever state it has.

        Args:
            activity: an Activity.
            body: its JSON, as received.
            claims: the claims of the caller, which have been checked.
        """
        # Without a key, a second delivery looks like a second activity.
        key = activity_key(activity) or str(uuid4())
        name = f"{conversation_name(activity)}/{name_part(key)}"
        new = StoredActivity(name, self._clock(), 0, WAITING)
        content = b'{"claims": %b, "activity": %b}' % (json.dumps(dict(claims)).encode(), body)
        try:
            await self._blobs.write(name, content, None, new.metadata(WAITING, 0))
        except BlobChanged:
            if stored := await self.find(name):
                return stored
            raise StorageUnavailable("a stored activity's blob existed, and is gone") from None
        return new

    async def mark(self, stored: StoredActivity) -> None:
        """Write an activity's marker."""
        await self._blobs.write(stored.marker, b"", ANY)

    async def unmark(self, marker: str) -> None:
        """Delete a marker, if it exists."""
        await self._blobs.delete(marker)

    async def waiting(self, conversation: str) -> dict[str, str]:
        """The markers of a conversation by the names of the activities that wait.

        They are in the order in which the activities were accepted. A process that died may have
        left markers of activities that do not wait any more.
        """
        entries = self._blobs.list(f"{MARKERS}/{conversation}/")
        markers = [entry.name async for entry in entries]
        return {f"{conversation}/{marker.rpartition('/')[2]}": marker for marker in markers}

    async def find(self, name: str) -> StoredActivity | None:
        """An activity without its content; None if its blob does not exist."""
        metadata = await self._blobs.read_metadata(name)
        return None if metadata is None else StoredActivity.of(name, metadata)

    async def read(self, name: str) -> StoredActivity | None:
        """An activity with its content; None if its blob does not exist."""
        blob = await self._blobs.read(name)
        return blob and StoredActivity.of(name, blob.metadata, blob.content)

    def age(self, stored: StoredActivity) -> float:
        """Seconds since an activity was accepted."""
        return (self._clock() - stored.accepted_at) / 1e9

    async def set_attempts(self, stored: StoredActivity, attempts: int) -> None:
        """Store how many attempts at an activity's turn are counted; it waits for another."""
        await self._blobs.write_metadata(stored.name, stored.metadata(WAITING, attempts))

    async def finish(self, stored: StoredActivity) -> None:
        """An activity is processed: only the name of its blob stays."""
        done = stored.metadata(DONE, 0)
        await asyncio.gather(
            self._blobs.write(stored.name, b"", ANY, done), self.unmark(stored.marker)
        )

    async def dead_letter(self, stored: StoredActivity, failure: str) -> None:
        """Set an activity aside, with the reason: DeadLetters shows both."""
        blob = await self._blobs.read(stored.name)
        if blob is not None:
            content = blob.content
            with contextlib.suppress(*UNREADABLE):  # what cannot be read stays as it is
                content = json.dumps({**json.loads(content), "failure": failure}).encode()
            metadata = stored.metadata(FAILED, stored.attempts + 1)
            await self._blobs.write(stored.name, content, blob.etag, metadata)
        await self.unmark(stored.marker)

    async def requeue(self, stored: StoredActivity) -> None:
        """Let a dead-lettered activity wait again, in its old position."""
        await asyncio.gather(self.set_attempts(stored, 0), self.mark(stored))

    async def clean_up(self, stored: StoredActivity) -> None:
        """Now and then, delete old blobs of processed activities in an activity's conversation."""
        if stored.accepted_at // 1000 % CLEAN_UP_INTERVAL:  # clocks may count in microseconds
            return
        entries = self._blobs.list(f"{stored.conversation}/")
        found = [StoredActivity.of(entry.name, entry.metadata) async for entry in entries]
        await self._blobs.delete_many(
            [
                each.name
                for each in found
                if each.state == DONE and self.age(each) > RETENTION_SECONDS
            ]
        )
