"""NotifiedApp: the composed app with notifications at a fast clock, and what they lead to."""

import asyncio
import base64
import json
from typing import Any

from botbuilder.schema import Activity

from cloud_adapter.codec.reader import read_model
from cloud_adapter.proactive.notifications import POISON_QUEUE, QUEUE, Notifications
from cloud_adapter.proactive.report import CONTAINER, report_lines, report_name
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from emulator.channel.conversations import Conversation
from tests.support.bots.composed_app import ComposedApp
from tests.support.timing.fast_time import FastTime

TENANT = "11111111-2222-3333-4444-555555555555"


class SeenQueue(MessageQueue):
    """The queue, which remembers what was put into it: nobody can look at what is delayed.

    Attributes:
        put_back: messages, and the seconds until they can be seen.
    """

    def __init__(self, account: StorageAccount) -> None:
        super().__init__(account, QUEUE)
        self.put_back: list[tuple[str, float]] = []

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue."""
        await super().put(text, delay)
        self.put_back.append((text, delay))


class NotifiedApp:
    """An app that sends notifications.

    Args:
        app: with storage.
        time: of the notifications.
    """

    def __init__(self, app: ComposedApp, time: FastTime) -> None:
        parts = app.parts
        assert parts.account
        assert parts.references
        self.app = app
        self.account: StorageAccount = parts.account
        self.references = parts.references
        self.queue = SeenQueue(parts.account)
        self.notifications = Notifications(
            parts.adapter,
            parts.references,
            BlobContainer(parts.account, CONTAINER),
            self.queue,
            MessageQueue(parts.account, POISON_QUEUE),
            parts.locks,
            time,
            time.sleep,
        )

    async def send(self, message: object, message_id: str = "m1") -> None:
        """Hand it a message, as the queue does."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self.notifications.handle_message(text, message_id)

    async def meets(self, number: int, channel: str = "msteams") -> Conversation:
        """A user writes to the bot in a personal chat."""
        cloud, user = self.app.cloud, {"id": f"29:{number}", "name": f"User {number}"}
        user["aadObjectId"] = f"00000000-0000-0000-0000-{number:012}"
        conversation = cloud.conversations.create([user, self.app.account])
        account = {"id": conversation.id, "conversationType": "personal", "tenantId": TENANT}
        content = {"type": "message", "channelId": channel, "from": user, "conversation": account}
        await self.references.store(read_model(Activity, self.app.activity(content)))
        return conversation

    async def meet(self, count: int) -> list[Conversation]:
        """Many users write to the bot."""
        found: list[Conversation] = []
        for start in range(0, count, 50):
            batch = range(start, min(start + 50, count))
            found += await asyncio.gather(*(self.meets(number) for number in batch))
        return found

    async def report(self, notification_id: str = "m1") -> list[dict[str, Any]]:
        """The report's lines."""
        blob = await BlobContainer(self.account, CONTAINER).read(report_name(notification_id))
        return report_lines(blob.content) if blob else []

    async def results(self, notification_id: str = "m1") -> dict[str, tuple[str, str]]:
        """Result and reason by recipient."""
        lines = await self.report(notification_id)
        return {
            line["recipient"]: (line["result"], line["reason"])
            for line in lines
            if "recipient" in line
        }

    async def waiting(self, queue: str = QUEUE) -> list[str]:
        """The messages of a queue that can be seen."""
        client = (await self.account.queues()).get_queue_client(queue)
        found = await client.peek_messages(max_messages=32)
        return [base64.b64decode(message.content).decode() for message in found]


def heard(conversation: Conversation) -> list[Any]:
    """The texts in a conversation."""
    return [activity.get("text") for activity in conversation.activities]
