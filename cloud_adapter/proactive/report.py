"""NotificationReport: the result of a notification for each recipient.

An append blob of JSON lines:

    {"recipient": "...", "conversation": "...", "result": "sent", "reason": ""}
    {"summary": {"sent": 1}, "channels": {"msteams": 1}}    the last line: every recipient has a
                                                        result; `channels` counts "sent" only
    {"error": "..."}                                    the only line: it was no valid notification

It also keeps a notification from being sent twice: recipients that have a line are skipped.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.references import channel_of
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-notifications"

SENT = "sent"
UNCERTAIN = "uncertain"
"""It may have arrived: it is not sent again."""
UNKNOWN = "unknown"
"""Nobody is kept by that id."""
FAILED = "failed"
REPEATED = "repeated"
"""Another recipient has the same conversation, and got it."""

BATCH = 8
"""Results that are written at once."""

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to write; meanwhile nothing more is sent."""

log = logging.getLogger(__name__)


class Result(NamedTuple):
    """What has become of one recipient.

    Attributes:
        recipient: as the notification names it; with ALL the channel, a slash and the conversation.
        conversation: the blob of the conversation; empty: there is none.
        result: SENT, UNCERTAIN, UNKNOWN, FAILED or REPEATED.
        reason: in words.
    """

    recipient: str
    conversation: str
    result: str
    reason: str = ""


class NotificationReport:
    """The report of one notification; one process at a time has it.

    Args:
        blobs: the container.
        notification_id: the notification's.
        sleep: waits.

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
        """Learn what earlier runs have written.

        Raises:
            StorageUnavailable: it cannot be read.
        """
        blob = await self._blobs.read(self._name)
        # In a thread: a hundred thousand recipients take a third of a second.
        for line in await asyncio.to_thread(lines_of, blob.content if blob else b""):
            match line:
                case {"recipient": str(), "conversation": str(), "result": str(), "reason": str()}:
                    self._take(Result(**line))
                case {"summary": _} | {"error": _}:
                    self.finished = True

    def has(self, recipient: str) -> bool:
        """Whether a recipient has a result."""
        return recipient in self._recipients

    def has_conversation(self, conversation: str) -> bool:
        """Whether a conversation was claimed, in this run or an earlier one."""
        return conversation in self._conversations

    def claim(self, conversation: str) -> bool:
        """Take a conversation for one recipient; False: another one has it."""
        if conversation in self._conversations:
            return False
        self._conversations.add(conversation)
        return True

    async def add(self, result: Result) -> None:
        """Add a result. Who is last in a batch writes it, and the others wait meanwhile.

        So after a crash at most BATCH - 1 results are missing, and those under way.

        Raises:
            StorageUnavailable: it cannot be written.
        """
        async with self._writing:
            self._take(result)
            self._unwritten.append(result)
            if len(self._unwritten) >= BATCH:
                await self._write_all()

    async def write(self) -> None:
        """Write what is not yet written.

        Raises:
            StorageUnavailable: it cannot be written.
        """
        async with self._writing:
            await self._write_all()

    async def finish(self) -> None:
        """Write the summary.

        Raises:
            StorageUnavailable: it cannot be written.
        """
        await self.write()
        await self._append([{"summary": dict(self.counts), "channels": dict(self.channels)}])
        self.finished = True

    async def refuse(self, reason: str) -> None:
        """Write that it was no notification.

        Raises:
            StorageUnavailable: it cannot be written.
        """
        await self._append([{"error": reason}])

    def _take(self, result: Result) -> None:
        if result.recipient in self._recipients:
            return  # a line that was written twice
        self._recipients.add(result.recipient)
        if result.conversation:
            self._conversations.add(result.conversation)
        self.counts[result.result] += 1
        if result.result == SENT:
            self.channels[channel_of(result.conversation)] += 1

    async def _write_all(self) -> None:
        if self._unwritten:
            await self._append([result._asdict() for result in self._unwritten])
            self._unwritten.clear()

    async def _append(self, lines: list[dict[str, Any]]) -> None:
        content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        for pause in PAUSES:
            try:
                await self._blobs.append(self._name, content)
            except StorageUnavailable as error:
                log.warning("A notification waits for its report to be written: %s", error)
                await self._sleep(pause)
            else:
                return
        await self._blobs.append(self._name, content)


def report_name(notification_id: str) -> str:
    """The name of a report's blob."""
    return f"reports/{name_part(notification_id)}"


def lines_of(content: bytes) -> list[dict[str, Any]]:
    """The lines of a report."""
    return [json.loads(line) for line in content.splitlines() if line]
