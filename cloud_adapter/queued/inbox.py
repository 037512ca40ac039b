"""Inbox: the activities that wait for their turn, one blob each.

    CONVERSATION/ACTIVITY                     the activity; empty when its turn is made
    waiting/CONVERSATION/ACCEPTED/ACTIVITY    its place in the conversation's line, while it waits

An activity's blob stays for a while when its turn is made: a second delivery finds it. The line is
apart from them, so that a busy conversation's next turn does not go through all that are done.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botbuilder.schema import Activity

from cloud_adapter.codec.activity_key import activity_key
from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import (
    BlobChanged,
    StorageUnavailable,
    UnreadableActivity,
)
from cloud_adapter.state.lock import conversation_name
from cloud_adapter.storage.blobs import ANY, BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-turns"

WAITING, DONE, FAILED = "waiting", "done", "failed"

KEPT = 3600.0
"""Seconds that a blob stays after its activity was accepted, once its turn is made."""

SWEEP_EVERY = 50
"""Turns of a conversation, about, from one look for old blobs to the next."""

MOST_DELETED = 256
"""Blobs that one request can delete."""

_LINE = "waiting"

_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True)
class AcceptedActivity:
    """What the channel delivered.

    Attributes:
        claims: of the caller that the check let in.
        activity: an Activity.
        failure: what made its last turn fail; empty: nothing has.
    """

    claims: Mapping[str, Any]
    activity: Any
    failure: str


@dataclass(frozen=True)
class StoredActivity:
    """An activity as it was accepted.

    Attributes:
        name: its blob's.
        accepted: when, in nanoseconds since the epoch.
        tries: turns that were begun for it and did not end well, as far as they are counted.
        state: WAITING, DONE or FAILED.
        content: of its blob, when that was read.
    """

    name: str
    accepted: int
    tries: int
    state: str
    content: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, name: str, metadata: Mapping[str, str], content: bytes = b"") -> "StoredActivity":
        """What a blob tells."""
        accepted, tries = int(metadata.get("accepted", "0")), int(metadata.get("tries", "0"))
        return cls(name, accepted, tries, metadata.get("state", WAITING), content)

    @property
    def age(self) -> float:
        """Seconds since it was accepted."""
        return (time.time_ns() - self.accepted) / 1e9

    @property
    def place(self) -> str:
        """The name of its place in the line: names are listed in the order of acceptance."""
        conversation, _, activity = self.name.partition("/")
        return f"{_LINE}/{conversation}/{self.accepted:020}/{activity}"

    def metadata(self, state: str, tries: int) -> dict[str, str]:
        """Its blob's metadata in another state."""
        return {"state": state, "accepted": f"{self.accepted}", "tries": f"{tries}"}

    def delivery(self) -> AcceptedActivity:
        """What was delivered.

        Raises:
            UnreadableActivity: its content is something else.
        """
        try:
            data = json.loads(self.content)
            activity = read_model(Activity, data["activity"])
            return AcceptedActivity(data["claims"], activity, data.get("failure", ""))
        except _UNREADABLE as error:
            # From None: what it says may quote the activity.
            kind = type(error).__name__
            raise UnreadableActivity(f"the stored activity cannot be read ({kind})") from None


class Inbox:
    """Each method raises StorageUnavailable when the account does not answer, or refuses.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: BlobContainer) -> None:
        self._blobs = blobs

    async def keep(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> StoredActivity:
        """Keep an activity, or find it kept before, in whatever state.

        Args:
            activity: an Activity.
            body: its JSON, as delivered.
            claims: of the caller that the check let in.
        """
        # Without an identity, a second delivery cannot be told from a second activity.
        identity = activity_key(activity) or str(uuid4())
        name = f"{conversation_name(activity)}/{name_part(identity)}"
        new = StoredActivity(name, time.time_ns(), 0, WAITING)
        content = b'{"claims": %b, "activity": %b}' % (json.dumps(dict(claims)).encode(), body)
        try:
            await self._blobs.write(name, content, None, new.metadata(WAITING, 0))
        except BlobChanged:
            if known := await self.find(name):
                return known
            raise StorageUnavailable("an activity's blob was there, and is gone") from None
        return new

    async def line_up(self, waiting: StoredActivity) -> None:
        """Give it its place in the line."""
        await self._blobs.write(waiting.place, b"", ANY)

    async def leave(self, place: str) -> None:
        """Give a place in the line up, if it is still there."""
        await self._blobs.delete(place)

    async def line(self, conversation: str) -> dict[str, str]:
        """The places in a conversation's line by the names of the activities that have them.

        They are in the order in which those were accepted. A process that died may have left one
        that nobody needs.
        """
        entries = self._blobs.list(f"{_LINE}/{conversation}/")
        places = [entry.name async for entry in entries]
        return {f"{conversation}/{place.rpartition('/')[2]}": place for place in places}

    async def find(self, name: str) -> StoredActivity | None:
        """One activity, without its content; None when its blob is gone."""
        metadata = await self._blobs.read_metadata(name)
        return None if metadata is None else StoredActivity.of(name, metadata)

    async def read(self, name: str) -> StoredActivity | None:
        """One activity, with its content; None when its blob is gone."""
        blob = await self._blobs.read(name)
        return blob and StoredActivity.of(name, blob.metadata, blob.content)

    async def note_tries(self, waiting: StoredActivity, tries: int) -> None:
        """So many turns were begun, and did not or may not end well."""
        await self._blobs.write_metadata(waiting.name, waiting.metadata(WAITING, tries))

    async def finish(self, waiting: StoredActivity) -> None:
        """Its turn is made: nothing of it stays but its name."""
        done = waiting.metadata(DONE, 0)
        await asyncio.gather(
            self._blobs.write(waiting.name, b"", ANY, done), self.leave(waiting.place)
        )

    async def give_up(self, waiting: StoredActivity, failure: str) -> None:
        """Its turn failed too often; the activity stays, with the reason, for `poison`."""
        blob = await self._blobs.read(waiting.name)
        if blob is not None:
            content = blob.content
            with contextlib.suppress(*_UNREADABLE):  # unreadable: it stays as it is
                content = json.dumps({**json.loads(content), "failure": failure}).encode()
            metadata = waiting.metadata(FAILED, waiting.tries + 1)
            await self._blobs.write(waiting.name, content, blob.etag, metadata)
        await self.leave(waiting.place)

    async def revive(self, waiting: StoredActivity) -> None:
        """Let a given-up activity wait again, in its old place."""
        await asyncio.gather(self.note_tries(waiting, 0), self.line_up(waiting))

    async def sweep(self, waiting: StoredActivity) -> None:
        """Now and then, delete what is done for long in the activity's conversation."""
        if waiting.accepted // 1000 % SWEEP_EVERY:  # clocks may count in microseconds
            return
        conversation = waiting.name.partition("/")[0]
        entries = self._blobs.list(f"{conversation}/")
        found = [StoredActivity.of(entry.name, entry.metadata) async for entry in entries]
        old = [each.name for each in found if each.state == DONE and each.age > KEPT]
        for start in range(0, len(old), MOST_DELETED):
            await self._blobs.delete_many(old[start : start + MOST_DELETED])
