"""Conversations: what the local channel remembers; shared by the Bot Connector and Direct Line."""

import asyncio
import datetime
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Activity = dict[str, Any]
"""One activity as it travels: JSON of the Bot Framework activity schema."""

Account = dict[str, Any]
"""A channel account: `id`, `name`, `role`."""


class UnknownConversationError(KeyError):
    """No conversation has that id."""


class UnknownActivityError(KeyError):
    """The conversation has no activity of that id, or it was deleted."""


@dataclass(frozen=True)
class Attachment:
    """A file kept by the channel: uploaded by the user, or by the bot through the connector."""

    name: str
    content_type: str
    views: dict[str, bytes]
    """Bytes by view id; `original` is always there."""


@dataclass
class Conversation:
    """Who takes part, and every change to the activities in order.

    Attributes:
        id: as it stands in `conversation.id`.
        members: accounts by their id.
        changes: each activity as added or as updated, and a `messageDelete` for each deleted one.
            A watermark is a position in this list.
    """

    id: str
    members: dict[str, Account]
    changes: list[Activity] = field(default_factory=list)
    _current: dict[str, Activity] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def activities(self) -> list[Activity]:
        """The activities as they are now, oldest first."""
        return list(self._current.values())

    def find(self, activity_id: str) -> Activity:
        """One activity as it is now.

        Raises:
            UnknownActivityError: it is not there.
        """
        try:
            return self._current[activity_id]
        except KeyError:
            raise UnknownActivityError(activity_id) from None

    def has(self, activity_id: object) -> bool:
        """Whether an activity of that id is there now."""
        return activity_id in self._current

    def add(self, activity: Activity) -> Activity:
        """Append an activity under a new id; returns what is kept, with `id` and `timestamp`."""
        # Direct Line's ids have this form; the bar makes clients escape them properly.
        activity_id = f"{self.id}|{len(self.changes):07d}"
        return self._keep({**activity, "id": activity_id, "timestamp": _now()})

    def add_history(self, activities: Iterable[Activity]) -> None:
        """Append activities of the past with the ids and timestamps they bring."""
        for activity in activities:
            self._keep({"id": uuid.uuid4().hex, "timestamp": _now(), **activity})

    def update(self, activity_id: str, activity: Activity) -> Activity:
        """Replace an activity; it keeps its id and its place.

        Raises:
            UnknownActivityError: it is not there.
        """
        # The timestamp stays: clients sort by it, an update must not move the message.
        old = self.find(activity_id)
        return self._keep({**activity, "id": activity_id, "timestamp": old["timestamp"]})

    def delete(self, activity_id: str) -> None:
        """Take an activity away; its trace among the changes is a `messageDelete`.

        Raises:
            UnknownActivityError: it is not there.
        """
        old = self.find(activity_id)
        del self._current[activity_id]
        self._record({**_identity(old), "type": "messageDelete", "timestamp": _now()})

    def remove_member(self, member_id: str) -> None:
        """Take a member out of the conversation, if he is in it."""
        self.members.pop(member_id, None)
        self._wake()

    async def wait_for_change(self, watermark: int) -> None:
        """Return when there is a change after `watermark`."""
        while len(self.changes) <= watermark:
            await self._changed.wait()

    async def wait_until(self, predicate: "Predicate") -> None:
        """Return when `predicate` holds; it is asked now and after each change, for ever."""
        while not predicate(self):
            await self._changed.wait()

    def _keep(self, activity: Activity) -> Activity:
        named = {**(activity.get("conversation") or {}), "id": self.id}
        kept = {**activity, "conversation": named}
        self._current[kept["id"]] = kept
        self._record(kept)
        return kept

    def _record(self, change: Activity) -> None:
        self.changes.append(change)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        # A fresh event at once: whoever waits again waits for the next change.
        self._changed = asyncio.Event()


Predicate = Callable[[Conversation], bool]


class Conversations:
    """The store, in memory and without limit: it lives as long as one run of the local cloud.

    Attributes:
        by_id: conversations by their id.
        attachments: uploaded files by attachment id.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Conversation] = {}
        self.attachments: dict[str, Attachment] = {}

    def create(
        self, members: Iterable[Account] = (), conversation_id: str | None = None
    ) -> Conversation:
        """Open a conversation of these members under the given id, or a new one."""
        new = conversation_id or uuid.uuid4().hex
        conversation = Conversation(new, {member["id"]: dict(member) for member in members})
        self.by_id[new] = conversation
        return conversation

    def find(self, conversation_id: str) -> Conversation:
        """The conversation of that id.

        Raises:
            UnknownConversationError: there is none.
        """
        try:
            return self.by_id[conversation_id]
        except KeyError:
            raise UnknownConversationError(conversation_id) from None

    def keep_attachment(self, attachment: Attachment) -> str:
        """Keep a file; returns its attachment id, which nobody can guess."""
        attachment_id = uuid.uuid4().hex
        self.attachments[attachment_id] = attachment
        return attachment_id

    async def wait_for(self, conversation_id: str, predicate: Predicate) -> Conversation:
        """The conversation, once `predicate` holds for it; the caller bounds the time.

        Raises:
            UnknownConversationError: there is no such conversation.
        """
        conversation = self.find(conversation_id)
        await conversation.wait_until(predicate)
        return conversation


def _identity(activity: Activity) -> Activity:
    kept = ("id", "from", "recipient", "conversation", "channelId", "serviceUrl")
    return {name: activity[name] for name in kept if name in activity}


def _now() -> str:
    now = datetime.datetime.now(datetime.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
