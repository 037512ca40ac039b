"""NotificationReport: what became of a notification, for each recipient.

An append blob of JSON lines:

    {"recipient": "...", "conversation": "...", "result": "sent", "reason": ""}
    {"summary": {"sent": 1}, "channels": {"msteams": 1}}    the last line: every recipient has a
                                                        result; `channels` counts "sent" only
    {"error": "..."}                                    the only line: not a valid notification

The report also prevents duplicates: a recipient that has a line is skipped.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.references import channel_of
from cloud_adapter.storage.blobs import BlobContainer, name_part
from http_client.retry import Backoff

CONTAINER = "bot-notifications"

SENT = "sent"
UNCERTAIN = "uncertain"
"""It may have arrived, so it is not sent again."""
UNKNOWN = "unknown"
"""No conversation and no user has this id."""
FAILED = "failed"
REPEATED = "repeated"
"""Another recipient has the same conversation, and it was sent there."""

BATCH_SIZE = 8
"""Results that are written together."""

MAX_WRITES = 5
WRITE_BACKOFF = Backoff(first=1.0, longest=8.0, jitter=0.0)
"""Attempts to write, and the pauses between them, in which nothing more is sent."""

log = logging.getLogger(__name__)


class Result(NamedTuple):
    """What became of one recipient.

    Attributes:
        recipient: as in the notification; with ALL: CHANNEL/CONVERSATION.
        conversation: name of the conversation's blob; empty when there is none.
        result: SENT, UNCERTAIN, UNKNOWN, FAILED or REPEATED.
        reason: why it was not sent, in words.
    """

    recipient: str
    conversation: str
    result: str
    reason: str = ""


class NotificationReport:
    """The report of one notification. Only one process at a time writes it.

    Args:
        blobs: the container.
        notification_id: the notification's id.
        sleep: waits; tests pass one that moves a clock.

    Attributes:
        counts: recipients by result.
        channels: recipients with the result SENT, by channel.
        finished: every recipient has a result.
    """

    def __init__(
        self,
        blobs: BlobContainer,
        notification_id: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._blobs = blobs
        self._name = report_name(notification_id)
        self._sleep = sleep
        self._recipients: set[str] = set()
        self._conversations: set[str] = set()
        self._unwritten: list[Result] = []
        self._writing = asyncio.Lock()
        self.counts: Counter[str] = Counter()
        self.channels: Counter[str] = Counter()
        self.finished = False

    async def load(self) -> None:
        """Read what earlier runs have written.

        Raises:
            StorageUnavailable: it cannot be read.
        """
        blob = await self._blobs.read(self._name)
        # In a thread: 100,000 recipients take a third of a second.
        for line in await asyncio.to_thread(report_lines, blob.content if blob else b""):
            match line:
                case {"recipient": str(), "conversation": str(), "result": str(), "reason": str()}:
                    self._count(Result(**line))
                case {"summary": _} | {"error": _}:
                    self.finished = True

    def has(self, recipient: str) -> bool:
        """Whether a recipient has a result."""
        return recipient in self._recipients

    def has_conversation(self, conversation: str) -> bool:
        """Whether a conversation was claimed, in this run or an earlier one."""
        return conversation in self._conversations

    def claim(self, conversation: str) -> bool:
        """Claim a conversation for one recipient; False when another recipient has it."""
        if conversation in self._conversations:
            return False
        self._conversations.add(conversation)
        return True

    async def add(self, result: Result) -> None:
        """Add a result; the last one of a batch writes it, while the others wait.

        So a crash loses at most BATCH_SIZE - 1 results, and those of messages being sent.

        Raises:
            StorageUnavailable: the report cannot be written.
        """
        async with self._writing:
            self._count(result)
            self._unwritten.append(result)
            if len(self._unwritten) >= BATCH_SIZE:
                await self._write_results()

    async def write(self) -> None:
        """Write the results that are not written yet.

        Raises:
            StorageUnavailable: the report cannot be written.
        """
        async with self._writing:
            await self._write_results()

    async def finish(self) -> None:
        """Write the summary, after which the notification is not sent again.

        Raises:
            StorageUnavailable: the report cannot be written.
        """
        await self.write()
        await self._append([{"summary": dict(self.counts), "channels": dict(self.channels)}])
        self.finished = True

    async def refuse(self, reason: str) -> None:
        """Write that the message is not a notification.

        Args:
            reason: why not; quotes nothing of the message.

        Raises:
            StorageUnavailable: the report cannot be written.
        """
        await self._append([{"error": reason}])

    def _count(self, result: Result) -> None:
        if result.recipient in self._recipients:
            return  # its line was written twice
        self._recipients.add(result.recipient)
        if result.conversation:
            self._conversations.add(result.conversation)
        self.counts[result.result] += 1
        if result.result == SENT:
            self.channels[channel_of(result.conversation)] += 1

    async def _write_results(self) -> None:
        if self._unwritten:
            await self._append([result._asdict() for result in self._unwritten])
            self._unwritten.clear()

    async def _append(self, lines: list[dict[str, Any]]) -> None:
        content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        for attempt in range(1, MAX_WRITES):
            try:
                await self._blobs.append(self._name, content)
            except StorageUnavailable as error:
                log.warning("Sending waits until a notification's report can be written: %s", error)
                await self._sleep(WRITE_BACKOFF.pause(attempt))
            else:
                return
        await self._blobs.append(self._name, content)


def report_name(notification_id: str) -> str:
    """The name of a report's blob."""
    return f"reports/{name_part(notification_id)}"


def report_lines(content: bytes) -> list[dict[str, Any]]:
    """The lines of a report, parsed."""
    return [json.loads(line) for line in content.splitlines() if line]
