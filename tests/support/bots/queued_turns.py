"""QueuedTurnsBot: queued turns as one process has them, with scripted turns."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.schema import Activity

from cloud_adapter.codec.reader import read_model
from cloud_adapter.queued.drain import Attempt
from cloud_adapter.queued.inbox import CONTAINER, AcceptedActivity, Inbox
from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE, QueuedTurns
from cloud_adapter.state.lease import RENEWAL_SECONDS
from cloud_adapter.state.lock import CONTAINER as LOCKS
from cloud_adapter.state.lock import ConversationLocks, conversation_name
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue

CLAIMS = {"aud": "bot", "iss": "https://api.botframework.com"}

Step = Exception | Callable[[], Awaitable[object]]


def content(activity_id: str | None = "a", conversation: str = "c", text: str = "hello") -> bytes:
    """A message, as the channel sends it."""
    data = {
        "type": "message",
        "id": activity_id,
        "channelId": "webchat",
        "serviceUrl": "https://x/",
        "conversation": {"id": conversation},
        "text": text,
    }
    return json.dumps(data).encode()


class QueuedTurnsBot:
    """One process's.

    Args:
        account: the bot's.
        renewal_seconds: the time between two renewals of a lease.

    Attributes:
        runs: ids of the activities whose turns were started.
        lasts: the same, of those that were on their last attempt.
        killed: ids of those whose attempts have all ended their process.
        script: what the turns of an activity do, one after the other; then they succeed.
    """

    def __init__(self, account: StorageAccount, renewal_seconds: float = RENEWAL_SECONDS) -> None:
        self.locks = ConversationLocks(BlobContainer(account, LOCKS), renewal_seconds)
        self.blobs = BlobContainer(account, CONTAINER)
        self.activities = Inbox(self.blobs)
        self.queue = MessageQueue(account, QUEUE)
        self.poison = MessageQueue(account, POISON_QUEUE)
        self.turns = QueuedTurns(self.activities, self.queue, self.poison, self.locks)
        self.runs: list[str | None] = []
        self.lasts: list[str | None] = []
        self.killed: list[str | None] = []
        self.script: dict[str | None, list[Step]] = {}
        self.delivered: list[AcceptedActivity] = []

    async def accept(self, body: bytes) -> None:
        """Take an activity."""
        await self.turns.enqueue(read_model(Activity, json.loads(body)), body, CLAIMS)

    async def answer(self, message: str, dequeue_count: int = 1) -> None:
        """A wake-up message, in a task of its own, as the host calls."""
        await asyncio.create_task(self.turns.drain(message, dequeue_count, self.run))

    async def run(self, delivery: AcceptedActivity, attempt: Attempt) -> None:
        """A turn."""
        if attempt is Attempt.WITHOUT_BOT:
            self.killed.append(delivery.activity.id)
            raise RuntimeError("killed")
        self.delivered.append(delivery)
        self.runs.append(delivery.activity.id)
        if attempt is Attempt.LAST:
            self.lasts.append(delivery.activity.id)
        steps = self.script.get(delivery.activity.id)
        if not steps:
            return
        step = steps.pop(0)
        if isinstance(step, Exception):
            raise step
        await step()


def name_of(activity_id: str = "a", conversation: str = "c") -> str:
    """The name of an activity's blob."""
    activity: Any = read_model(Activity, json.loads(content(activity_id, conversation)))
    return f"{conversation_name(activity)}/{activity_id}"
