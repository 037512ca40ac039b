"""Conversations: the local channel's store, shared by the Bot Connector and Direct Line."""

import asyncio
import datetime
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.channel.message_limits import check_limits
from bot_workbench.emulator.channel.streams import StreamRules, stream_info, with_stream_id

Activity = dict[str, Any]
"""One activity as JSON of the Bot Framework activity schema."""

Account = dict[str, Any]
"""A channel account: `id`, `name`, `role`."""

HIDDEN_TYPES = frozenset({"conversationUpdate", "invoke", "trace"})
"""Types of activities that are stored but not shown to the user, as on the live channel."""


class UnknownConversationError(KeyError):
    """No conversation has that id."""


class UnknownActivityError(KeyError):
    """The conversation has no activity of that id, or it was deleted."""


@dataclass(frozen=True)
class Attachment:
    """A stored file that the user, or the bot through the connector, has uploaded."""

    name: str
    content_type: str
    views: dict[str, bytes]
    """Bytes by view id; `original` is always there."""


@dataclass(frozen=True)
class Acceptance:
    """A channel's answer to what the bot sends: an HTTP status, and the id if it is a new one."""

    status: int
    activity_id: str = ""

    def body(self) -> dict[str, str]:
        """The body of the response."""
        return {"id": self.activity_id} if self.activity_id else {}


@dataclass
class Conversation:
    """The members, and every change to the activities in order.

    Attributes:
        id: the value of `conversation.id`.
        members: accounts by their id.
        changes: each activity as added or as updated, and a `messageDelete` for each deleted one.
            A watermark is a position in this list.
        bot: the bot's account in this conversation; None: the channel's usual one.
        streams: the messages that the bot streams, and Teams' limits for all of its messages; None:
            parts of a stream are activities like others, as on the live Direct Line, which leaves
            them to its clients.
        listed: returns a member as the channel lists it, or None if it does not list it.
    """

    id: str
    members: dict[str, Account]
    changes: list[Activity] = field(default_factory=list)
    bot: Account | None = None
    streams: StreamRules | None = None
    listed: Callable[[Account], Account | None] = lambda member: member
    _current: dict[str, Activity] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def activities(self) -> list[Activity]:
        """The activities as they are now, oldest first."""
        return list(self._current.values())

    def find(self, activity_id: str) -> Activity:
        """One activity as it is now.

        Raises:
            UnknownActivityError: there is none of that id.
        """
        try:
            return self._current[activity_id]
        except KeyError:
            raise UnknownActivityError(activity_id) from None

    def has(self, activity_id: object) -> bool:
        """Whether there is an activity of that id now."""
        return activity_id in self._current

    def add(self, activity: Activity) -> Activity:
        """Append an activity under a new id; returns it as stored, with `id` and `timestamp`."""
        return self._store({**activity, "id": self._new_id(), "timestamp": timestamp_now()})

    def accept(self, activity: Activity) -> Acceptance:
        """Append what the bot sends. Subclasses have their channel's rules.

        Raises:
            ChannelError: as Teams refuses it, if `streams` is set.
        """
        if self.streams is None:
            return Acceptance(201, str(self.add(activity)["id"]))
        if self.streams.limits_messages:
            check_limits(activity)
        if stream_info(activity) is None:
            return Acceptance(201, str(self.add(activity)["id"]))
        return self._accept_part(self.streams, activity)

    def _accept_part(self, streams: StreamRules, activity: Activity) -> Acceptance:
        stream_id = streams.accept(activity, self._new_id)
        is_known = self.has(stream_id)
        timestamp = self.find(stream_id)["timestamp"] if is_known else timestamp_now()
        part = with_stream_id(activity, stream_id)
        self._store({**part, "id": stream_id, "timestamp": timestamp})
        return Acceptance(202) if is_known else Acceptance(201, stream_id)

    def accept_update(self, activity_id: str, activity: Activity) -> None:
        """Replace an activity, as the bot asks.

        Raises:
            UnknownActivityError: there is none of that id.
            ChannelError: as Teams refuses it, if `streams` is set.
        """
        if self.streams is not None:
            if self.streams.limits_messages:
                check_limits(activity)
            self.streams.replace(activity_id)
        self.update(activity_id, activity)

    def check_open(self) -> None:
        """Pass when the bot may use the conversation. Subclasses have their channel's rules."""

    def thread(self, activity_id: str) -> str:
        """The id of the conversation that an activity is in: in Teams channels, a thread's."""
        del activity_id
        return self.id

    def roster(self) -> list[Account]:
        """The members, as the Bot Connector lists them."""
        found = [self.listed(member) for member in self.members.values()]
        return [member for member in found if member is not None]

    def _new_id(self) -> str:
        # Direct Line's ids have this form; clients must escape the `|` in URLs.
        return f"{self.id}|{len(self.changes):07d}"

    def add_history(self, activities: Iterable[Activity]) -> None:
        """Append activities of the past with their own ids and timestamps."""
        for activity in activities:
            self._store({"id": uuid.uuid4().hex, "timestamp": timestamp_now(), **activity})

    def update(self, activity_id: str, activity: Activity) -> Activity:
        """Replace an activity, which keeps its id and its position.

        Raises:
            UnknownActivityError: there is none of that id.
        """
        # Clients sort by timestamp: an update must not move the message.
        old = self.find(activity_id)
        return self._store({**activity, "id": activity_id, "timestamp": old["timestamp"]})

    def delete(self, activity_id: str) -> None:
        """Remove an activity, and add a `messageDelete` to the changes.

        Raises:
            UnknownActivityError: there is none of that id.
        """
        old = self.find(activity_id)
        del self._current[activity_id]
        self._record({**_identity(old), "type": "messageDelete", "timestamp": timestamp_now()})

    def remove_member(self, member_id: str) -> None:
        """Remove a member; an unknown id is no error."""
        self.members.pop(member_id, None)
        self._wake()

    def shown_since(self, watermark: int) -> tuple[list[Activity], int]:
        """The changes after `watermark` that the user sees, and the watermark reached."""
        changes = self.changes[watermark:]
        shown = [
            self._without_hidden_reply(change)
            for change in changes
            if change["type"] not in HIDDEN_TYPES
        ]
        return shown, watermark + len(changes)

    def _without_hidden_reply(self, activity: Activity) -> Activity:
        """The activity, without a `replyToId` that names none the user sees.

        Web Chat delays an activity for seconds while it waits for the one it replies to.
        """
        replied = self._current.get(activity.get("replyToId") or "")
        if replied is not None and replied["type"] not in HIDDEN_TYPES:
            return activity
        return {name: value for name, value in activity.items() if name != "replyToId"}

    async def wait_for_change(self, watermark: int) -> None:
        """Return when there is a change after `watermark`."""
        while len(self.changes) <= watermark:
            await self._changed.wait()

    async def wait_until(self, predicate: "Predicate") -> None:
        """Return when `predicate` holds; it is called now and after each change, without end."""
        while not predicate(self):
            await self._changed.wait()

    def _store(self, activity: Activity) -> Activity:
        stored = {**activity, "conversation": self._reference(activity)}
        self._current[stored["id"]] = stored
        self._record(stored)
        return stored

    def _reference(self, activity: Activity) -> dict[str, Any]:
        return {**(activity.get("conversation") or {}), "id": self.id}

    def _record(self, change: Activity) -> None:
        self.changes.append(change)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        # A new event: a caller that waits again waits for the next change.
        self._changed = asyncio.Event()


Predicate = Callable[[Conversation], bool]


class Conversations:
    """The store, in memory and without limit, for one run of the local cloud.

    Attributes:
        by_id: conversations by their id.
        attachments: uploaded files by attachment id.
        creators: each returns the conversation that a bot's request to create one is for, if it
            knows its channel or its members; asked before a new one is created.
    """

    def __init__(self) -> None:
        self.creators: list[Callable[[dict[str, Any]], Conversation | None]] = []
        self.by_id: dict[str, Conversation] = {}
        self.attachments: dict[str, Attachment] = {}

    def create(
        self, members: Iterable[Account] = (), conversation_id: str | None = None
    ) -> Conversation:
        """Create a conversation with these members, under the given id or a new one."""
        new = conversation_id or uuid.uuid4().hex
        conversation = Conversation(new, {member["id"]: dict(member) for member in members})
        self.by_id[new] = conversation
        return conversation

    def requested(self, request: dict[str, Any]) -> Conversation | None:
        """The conversation that a bot's request to create one is for; None: a new one."""
        for creator in self.creators:
            if (found := creator(request)) is not None:
                return found
        return None

    def find(self, conversation_id: str) -> Conversation:
        """The conversation of that id.

        Raises:
            UnknownConversationError: there is none.
        """
        # A thread of a Teams channel has the channel's id, and `;messageid=...` after it.
        found = self.by_id.get(conversation_id) or self.by_id.get(conversation_id.partition(";")[0])
        if found is None:
            raise UnknownConversationError(conversation_id)
        return found

    def store_attachment(self, attachment: Attachment) -> str:
        """Store a file; returns its attachment id, which is unguessable."""
        attachment_id = uuid.uuid4().hex
        self.attachments[attachment_id] = attachment
        return attachment_id

    async def wait_for(self, conversation_id: str, predicate: Predicate) -> Conversation:
        """The conversation, once `predicate` holds for it; the caller limits the time.

        Raises:
            UnknownConversationError: there is no such conversation.
        """
        conversation = self.find(conversation_id)
        await conversation.wait_until(predicate)
        return conversation


def _identity(activity: Activity) -> Activity:
    names = ("id", "from", "recipient", "conversation", "channelId", "serviceUrl")
    return {name: activity[name] for name in names if name in activity}


def timestamp_now() -> str:
    """The time as activities have it."""
    now = datetime.datetime.now(datetime.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
