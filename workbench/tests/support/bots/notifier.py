"""Notifier: the notifications of a composed app, on the test's clock."""

import asyncio
import base64
import json
from typing import Any

from azure.storage.queue.aio import QueueClient
from botbuilder.schema import Activity

from bot_workbench.emulator.channel.conversations import Conversation
from cloud_adapter.codec import read_model
from cloud_adapter.proactive.notifications import (
    MAX_RUN_SECONDS,
    POISON_QUEUE,
    QUEUE,
    Notifications,
)
from cloud_adapter.proactive.run import CONTAINER, report_lines, report_name
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.bots.composed_app import ComposedApp
from tests.support.storage.received_message import received
from tests.support.timing.stepped_clock import SteppedClock

TENANT = "11111111-2222-3333-4444-555555555555"


class RecordingQueue(MessageQueue):
    """The queue, which also records what is put into it: a delayed message cannot be peeked at.

    Attributes:
        enqueued: messages, and the seconds until they are visible.
    """

    def __init__(self, account: StorageAccount) -> None:
        super().__init__(account, QUEUE)
        self.enqueued: list[tuple[str, float]] = []

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue."""
        await super().put(text, delay)
        self.enqueued.append((text, delay))


class Notifier:
    """Sends notifications to users of its own.

    Args:
        app: with storage.
        clock: the notifications' time.
        locks: the process's; None: other ones.
        max_run_seconds: of one run, on the clock.
    """

    def __init__(
        self,
        app: ComposedApp,
        clock: SteppedClock,
        locks: ConversationLocks | None = None,
        max_run_seconds: float = MAX_RUN_SECONDS,
    ) -> None:
        parts = app.parts
        assert parts.account
        self.app = app
        self.account: StorageAccount = parts.account
        self.references = parts.services.references
        self.queue = RecordingQueue(parts.account)
        self._reports = BlobContainer(parts.account, CONTAINER)
        self._locks = locks or ConversationLocks(self._reports)
        self.notifications = Notifications(
            parts.adapter,
            parts.services.references,
            self._reports,
            self.queue,
            MessageQueue(parts.account, POISON_QUEUE),
            self._locks,
            clock,
            clock.sleep,
            max_run_seconds,
        )

    async def send(self, message: object, message_id: str = "m1", dequeue_count: int = 1) -> None:
        """Hand over a message, as the queue does; the lock is free for other processes then."""
        text = message if isinstance(message, str) else json.dumps(message)
        try:
            message = received(text, dequeue_count, message_id)
            await self.notifications.handle_message(message)
        finally:
            await self._locks.close()

    async def send_enqueued(self) -> None:
        """Hand over each message that was put into the queue, until there are no more."""
        for message, _ in self.queue.enqueued:  # which grows meanwhile
            await self.send(message)

    async def add_user(self, number: int, channel: str = "msteams") -> Conversation:
        """A user writes to the bot in a personal chat."""
        cloud, user = self.app.cloud, {"id": f"29:{number}", "name": f"User {number}"}
        user["aadObjectId"] = f"00000000-0000-0000-0000-{number:012}"
        conversation = cloud.conversations.create([user, self.app.account])
        account = {"id": conversation.id, "conversationType": "personal", "tenantId": TENANT}
        content = {"type": "message", "channelId": channel, "from": user, "conversation": account}
        await self.references.store(read_model(Activity, self.app.activity(content)))
        return conversation

    async def add_users(self, count: int) -> list[Conversation]:
        """Many users write to the bot."""
        found: list[Conversation] = []
        for start in range(0, count, 50):
            batch = range(start, min(start + 50, count))
            found += await asyncio.gather(*(self.add_user(number) for number in batch))
        return found

    async def report(self, notification_id: str = "m1") -> list[dict[str, Any]]:
        """The report's lines."""
        blob = await self._reports.read(report_name(notification_id))
        return report_lines(blob)

    async def results(self, notification_id: str = "m1") -> dict[str, tuple[str, str]]:
        """Result and reason by recipient."""
        lines = await self.report(notification_id)
        return {
            line["recipient"]: (line["result"], line["reason"])
            for line in lines
            if "recipient" in line
        }

    async def visible(self, queue: str = QUEUE) -> list[str]:
        """The messages in a queue that can be seen."""
        storage = self.account.source.connection_string
        async with QueueClient.from_connection_string(storage, queue) as client:
            found = await client.peek_messages(max_messages=32)
        return [base64.b64decode(message.content).decode() for message in found]


def texts(conversation: Conversation) -> list[Any]:
    """The texts in a conversation."""
    return [activity.get("text") for activity in conversation.activities]
