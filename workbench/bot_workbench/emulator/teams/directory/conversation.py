"""TeamsConversation: a personal chat, a group chat or a channel, with Teams' rules for bots."""

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot_workbench.emulator.channel.conversations import (
    Acceptance,
    Account,
    Activity,
    Conversation,
    timestamp_now,
)
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.channel.streams import StreamRules, stream_info
from bot_workbench.emulator.teams.directory.backlog import Backlog
from bot_workbench.emulator.teams.directory.person import Person
from bot_workbench.emulator.teams.directory.team import Team

Kind = Literal["personal", "group", "channel"]

CONVERSATION_TYPES: dict[Kind, str] = {
    "personal": "personal",
    "group": "groupChat",
    "channel": "channel",
}
"""`conversation.conversationType` by kind."""

Event = dict[str, Any]
"""A page's message; its `type` says what it is."""


@dataclass
class TeamsConversation(Conversation):
    """Keeps Teams' rules for what the bot sends.

    Rules: Microsoft references "Send and receive messages" (status codes) and "Stream bot
    messages".

    Attributes:
        kind: what it is.
        tenant_id: the tenant (GUID).
        name: of a group chat or a channel; empty: none was given.
        people: the members that are people, by id.
        team: the channel's.
        blocked: the user has blocked the bot.
        redelivers: each of the users' messages is delivered twice.
        deleted: messages that users have deleted, and may restore.
        deliveries: by activity id, what has become of those that have not arrived; and which
            messages of the bot are apologies.
        failed: by activity id, what the bot did not accept.
        accepted: by the page's id of a message, what the page was answered.
        on_message: called with each new message.
        backlog: the deliveries that wait until the bot can be reached.
    """

    kind: Kind = "personal"
    tenant_id: str = ""
    name: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    team: Team | None = None
    blocked: bool = False
    backlog: Backlog = field(default_factory=Backlog)
    streams: StreamRules = field(default_factory=StreamRules)
    redelivers: bool = False
    deleted: dict[str, Activity] = field(default_factory=dict)
    deliveries: dict[str, Event] = field(default_factory=dict)
    failed: dict[str, Activity] = field(default_factory=dict)
    accepted: dict[str, dict[str, str]] = field(default_factory=dict)
    on_message: Callable[[Activity], None] = lambda _: None
    _installed: bool = True
    _sockets: set["asyncio.Queue[Event | None]"] = field(default_factory=set)
    _last_id: int = 0

    @property
    def installed(self) -> bool:
        """Whether the bot is a member."""
        return self.team.installed if self.team else self._installed

    @installed.setter
    def installed(self, installed: bool) -> None:
        if self.team:
            self.team.installed = installed
        self._installed = installed

    def as_json(self) -> dict[str, Any]:
        """The conversation as pages know it."""
        team = self.team.as_json() if self.team else None
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "team": team,
            "channel": {"id": self.id, "name": self.name} if team else None,
            "members": [person.member() for person in self.people.values()],
            "bot": self.bot,
            "installed": self.installed,
            "blocked": self.blocked,
            "redelivers": self.redelivers,
        }

    def account(self, thread: str = "") -> dict[str, Any]:
        """The conversation as an activity has it (`ConversationAccount`).

        Args:
            thread: the id of the first message of a channel's thread; empty: no thread.
        """
        account: dict[str, Any] = {
            "conversationType": CONVERSATION_TYPES[self.kind],
            "tenantId": self.tenant_id,
            "id": self.thread(thread) if thread else self.id,
        }
        if self.kind != "personal":
            account["isGroup"] = True
        return account

    def thread(self, activity_id: str) -> str:
        """The id of the conversation of an activity: in a channel, that of its thread."""
        if self.kind != "channel":
            return self.id
        activity = self._current.get(activity_id, {})
        return f"{self.id};messageid={activity.get('thread') or activity_id}"

    def roster(self) -> list[Account]:
        """The people, without the bot, as Teams lists them."""
        return [person.member() for person in self.people.values()]

    def check_open(self) -> None:
        """Pass when the bot may use the conversation.

        Raises:
            ChannelError: 403, it is not installed.
        """
        if not self.installed:
            message = "The bot is not part of the conversation roster."
            raise ChannelError(403, "BotNotInConversationRoster", message)

    def accept(self, activity: Activity) -> Acceptance:
        """Append what the bot sends, or refuse it.

        Raises:
            ChannelError: as Teams refuses it.
        """
        self.check_open()
        if self.blocked:
            raise ChannelError(403, "MessageWritesBlocked", "Message writes are blocked.")
        accepted = super().accept(activity)
        info = stream_info(activity)
        if info is not None and activity["type"] == "message":
            self.on_message(self.find(str(info["streamId"])))
        return accepted

    def stop_stream(self, stream_id: str) -> None:
        """End a stream, as its user does; pages get the message with `stopped`."""
        if self.streams.stop(stream_id):
            self._store({**self.find(stream_id), "stopped": True})

    def add(self, activity: Activity) -> Activity:
        """Append a message; in a channel, to the thread that it names, or as a new one."""
        added = super().add(activity) if self.kind != "channel" else self._add_post(activity)
        if added["type"] == "message":
            self.on_message(added)
        return added

    def _add_post(self, activity: Activity) -> Activity:
        named = (activity.get("conversation") or {}).get("id", "").partition(";messageid=")[2]
        replied = self._current.get(activity.get("replyToId") or "", {})
        root = named or replied.get("thread") or ""
        posted_id = self._new_id()
        thread = root or posted_id
        return self._store(
            {**activity, "id": posted_id, "thread": thread, "timestamp": timestamp_now()}
        )

    def post(self, activity: Activity, thread: str = "") -> Activity:
        """Append what a user writes; in a channel, to a thread, or as a new one."""
        return self.add({**activity, "conversation": self.account(thread)})

    def update(self, activity_id: str, activity: Activity) -> Activity:
        """Replace an activity, which keeps its reactions, and its thread; see `edited`."""
        old = self.find(activity_id)
        kept: Activity = {name: old[name] for name in ("reactions", "thread") if name in old}
        is_edited = old.get("edited") or old.get("text") != activity.get("text")
        edited = {"edited": True} if is_edited else {}
        return super().update(activity_id, {**kept, **activity, **edited})

    def record(self, activity: Activity) -> Activity:
        """Append an event, such as a new member."""
        return self._store({"timestamp": timestamp_now(), **activity})

    def restore(self, activity_id: str) -> Activity:
        """Add a deleted activity again."""
        return self._store(self.deleted.pop(activity_id))

    def publish(self, event: Event) -> None:
        """Send an event to every page that shows the conversation."""
        for queue in self._sockets:
            queue.put_nowait(event)

    def publish_delivery(self, event: Event) -> None:
        """Publish what has become of a delivery; new pages get it, too, unless it has arrived."""
        self.deliveries[event["activityId"]] = event
        if event["state"] == "delivered":
            del self.deliveries[event["activityId"]]
        self.publish(event)

    def subscribe(self) -> "asyncio.Queue[Event | None]":
        """A queue of events; None stands for a change of the activities."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._sockets.add(queue)
        return queue

    def unsubscribe(self, queue: "asyncio.Queue[Event | None]") -> None:
        """End a subscription."""
        self._sockets.discard(queue)

    def publish_conversation(self) -> None:
        """Send pages the members, the name and the like."""
        self.publish({"type": "conversation", "conversation": self.as_json()})

    def _new_id(self) -> str:
        # In Teams, ids of messages are the time in milliseconds.
        self._last_id = max(self._last_id + 1, int(time.time() * 1000))
        return str(self._last_id)

    def _reference(self, activity: Activity) -> dict[str, Any]:
        return self.account(str(activity.get("thread") or ""))

    def _wake(self) -> None:
        super()._wake()
        for queue in self._sockets:
            queue.put_nowait(None)


def event_id() -> str:
    """An id of an activity that is no message, as Teams has them."""
    return f"f:{uuid.uuid4()}"
