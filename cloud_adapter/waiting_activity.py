"""WaitingActivities: the activities that wait for their turn, one blob each.

A blob stays when its turn is made, empty, for a while: a second delivery of the activity finds it.
"""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botbuilder.schema import Activity

from auth.errors import BotError
from cloud_adapter.activity_codec import read_model
from cloud_adapter.blob_name import name_part
from cloud_adapter.blobs import ANY, BlobChanged, BlobEntry, Blobs
from cloud_adapter.conversation_lock import conversation_name

CONTAINER = "bot-turns"

WAITING, DONE, FAILED = "waiting", "done", "failed"

KEPT = 3600.0
"""Seconds that a blob stays after its activity was accepted, once its turn is made."""

MOST_DELETED = 256
"""Blobs that one request can delete."""


@dataclass(frozen=True)
class WaitingActivity:
    """An activity as it was accepted.

    Attributes:
        name: its blob's.
        accepted: when, in nanoseconds since the epoch.
        tries: turns that were begun for it and did not end well, as far as they are counted.
        state: WAITING, DONE or FAILED.
    """

    name: str
    accepted: int
    tries: int
    state: str

    @classmethod
    def of(cls, entry: BlobEntry) -> "WaitingActivity":
        """What a listing tells."""
        found = entry.metadata
        accepted, tries = int(found.get("accepted", "0")), int(found.get("tries", "0"))
        return cls(entry.name, accepted, tries, found.get("state", WAITING))

    @property
    def age(self) -> float:
        """Seconds since it was accepted."""
        return (time.time_ns() - self.accepted) / 1e9

    def metadata(self, state: str, tries: int) -> dict[str, str]:
        """Its blob's metadata in another state."""
        return {"state": state, "accepted": f"{self.accepted}", "tries": f"{tries}"}


_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class UnreadableActivity(BotError):
    """What is stored is no activity, or nests more deeply than can be read where its turn runs."""


@dataclass(frozen=True)
class Delivery:
    """What the channel delivered.

    Attributes:
        claims: of the caller that the check let in.
        activity: an Activity.
        failure: what made its last turn fail; empty: nothing has.
    """

    claims: Mapping[str, Any]
    activity: Any
    failure: str


class WaitingActivities:
    """Each method raises StorageUnavailable when the account does not answer, or refuses.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def add(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> str:
        """Keep an activity, unless it is there already; returns its blob's name.

        Args:
            activity: an Activity.
            body: its JSON, as delivered.
            claims: of the caller that the check let in.
        """
        # Without an id nobody can tell a second delivery from a second message.
        name = f"{conversation_name(activity)}/{name_part(activity.id or str(uuid4()))}"
        accepted = WaitingActivity(name, time.time_ns(), 0, WAITING)
        content = b'{"claims": %b, "activity": %b}' % (json.dumps(dict(claims)).encode(), body)
        # Delivered again? Then nobody knows whether it was rung for the first time.
        with contextlib.suppress(BlobChanged):
            await self._blobs.write(name, content, None, accepted.metadata(WAITING, 0))
        return name

    async def of(self, conversation: str) -> list[WaitingActivity]:
        """A conversation's, those that wait, in the order in which they were accepted.

        What is done for long is deleted meanwhile.
        """
        entries = self._blobs.list(f"{conversation}/")
        found = [WaitingActivity.of(entry) async for entry in entries]
        old = [each.name for each in found if each.state == DONE and each.age > KEPT]
        if old:
            await self._blobs.delete_all(old[:MOST_DELETED])
        waiting = [each for each in found if each.state == WAITING]
        return sorted(waiting, key=lambda each: each.accepted)

    async def find(self, name: str) -> WaitingActivity | None:
        """One activity, in whatever state; None when its blob is gone."""
        metadata = await self._blobs.metadata(name)
        return None if metadata is None else WaitingActivity.of(BlobEntry(name, metadata))

    async def read(self, name: str) -> Delivery | None:
        """What was delivered; None when the blob is gone, or empty.

        Raises:
            UnreadableActivity: the blob holds something else.
        """
        blob = await self._blobs.read(name)
        if blob is None or not blob.content:
            return None
        try:
            data = json.loads(blob.content)
            activity = read_model(Activity, data["activity"])
            return Delivery(data["claims"], activity, data.get("failure", ""))
        except _UNREADABLE as error:
            # From None: what it says may quote the activity.
            kind = type(error).__name__
            raise UnreadableActivity(f"the stored activity cannot be read ({kind})") from None

    async def note_tries(self, waiting: WaitingActivity, tries: int) -> None:
        """So many turns were begun, and did not or may not end well."""
        await self._blobs.set_metadata(waiting.name, waiting.metadata(WAITING, tries))

    async def finish(self, waiting: WaitingActivity) -> None:
        """Its turn is made: nothing of it stays but its name."""
        await self._blobs.write(waiting.name, b"", ANY, waiting.metadata(DONE, 0))

    async def give_up(self, waiting: WaitingActivity, failure: str) -> None:
        """Its turn failed too often; the activity stays, with the reason, for `poison`."""
        blob = await self._blobs.read(waiting.name)
        if blob is None:
            return
        content = blob.content
        with contextlib.suppress(*_UNREADABLE):  # unreadable: it stays as it is
            content = json.dumps({**json.loads(content), "failure": failure}).encode()
        metadata = waiting.metadata(FAILED, waiting.tries + 1)
        await self._blobs.write(waiting.name, content, blob.etag, metadata)
