"""NotificationRun: one invocation's work on a notification, and the report of it by recipient.

A report is an append blob of JSON lines:

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
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from auth.errors import CallerForbidden, Unavailable
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import OutOfTime, StorageUnavailable, UnknownFormat
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.records import ConversationRecord
from cloud_adapter.proactive.references import (
    ConversationReferences,
    Record,
    channel_of,
    conversation_blob,
)
from cloud_adapter.proactive.sender import NotificationSender, connect_failed
from cloud_adapter.storage.blobs import Blob, BlobContainer, name_part
from cloud_adapter.storage.format_version import FORMAT_VERSION, VERSION_KEY, check_version
from http_client.retry import Backoff

log = logging.getLogger(__name__)

CONTAINER = "bot-notifications"

_METADATA = {VERSION_KEY: f"{FORMAT_VERSION}"}

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


class Result(NamedTuple):
    """One recipient's line in the report.

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
        for line in await asyncio.to_thread(report_lines, blob):
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
            StorageUnavailable: the report cannot be written, or read: there may be an earlier one.
        """
        await self.load()
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
                await self._blobs.append(self._name, content, _METADATA)
            except StorageUnavailable as error:
                log.warning("Sending waits until a notification's report can be written: %s", error)
                await self._sleep(WRITE_BACKOFF.pause(attempt))
            else:
                return
        await self._blobs.append(self._name, content, _METADATA)


def report_name(notification_id: str) -> str:
    """The name of a report's blob."""
    return f"reports/{name_part(notification_id)}"


def report_lines(blob: Blob | None) -> list[dict[str, Any]]:
    """The lines of a report, parsed; none if there is no report yet.

    Raises:
        UnknownFormat: it has another format version.
    """
    if blob is None:
        return []
    check_version("a notification's report", blob.metadata.get(VERSION_KEY))
    return [json.loads(line) for line in blob.content.splitlines() if line]


MAX_CONCURRENT = 8
"""Recipients that are sent to at the same time."""


class NotificationRun:
    """Sends to the recipients that have no result yet, until the time is up.

    Args:
        notification: the notification.
        report: its report, loaded.
        references: where the recipients are.
        sender: sends.
        may_continue: whether another recipient may be sent to.
        give_up: send nothing more: the recipients without a result have failed.
    """

    def __init__(
        self,
        notification: Notification,
        report: NotificationReport,
        references: ConversationReferences,
        sender: NotificationSender,
        may_continue: Callable[[], bool],
        *,
        give_up: bool = False,
    ) -> None:
        self._notification = notification
        self._report = report
        self._references = references
        self._sender = sender
        self._may_continue = may_continue
        self._give_up = give_up
        self._remaining = self._recipients()
        self._taking = asyncio.Lock()
        self._error: Exception | None = None
        self._complete = True

    async def send(self) -> bool:
        """Send, and write the report; returns whether every recipient has a result.

        Raises:
            Unavailable, ConnectorError: nothing can be sent now, to no recipient.
        """
        try:
            await asyncio.gather(*(self._work() for _ in range(MAX_CONCURRENT)))
        finally:
            await self._report.write()
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback refers to this object
        return self._complete

    async def _recipients(self) -> AsyncIterator[str]:
        """Recipients without a result: ids, or with ALL the names of conversations' blobs."""
        if self._notification.to_all:
            async for name in self._references.names(self._notification.channel):
                if not self._report.has_conversation(name):
                    yield name
        else:
            for recipient in self._notification.to:
                if not self._report.has(recipient):
                    yield recipient

    async def _work(self) -> None:
        """Send to one recipient after the other. An error elsewhere does not interrupt a send."""
        try:
            while (recipient := await self._next()) is not None:
                if result := await self._result(recipient):
                    await self._report.add(result)
        except OutOfTime:
            self._complete = False
        except Exception as error:  # noqa: BLE001  # raised once all sends have ended
            self._error = error

    async def _next(self) -> str | None:
        async with self._taking:
            if self._error is not None:
                return None
            if not self._may_continue():
                self._complete = False
                return None
            return await anext(self._remaining, None)

    async def _result(self, recipient: str) -> Result | None:
        """A recipient's result; None when the bot was removed there a moment ago."""
        try:
            if self._notification.to_all:
                record = await self._references.read(recipient)
                return await self._send_to(record.id, record) if record else None
            found = await self._references.find(recipient)
        except UnknownFormat as error:  # of this recipient's record alone
            return Result(recipient, "", FAILED, str(error))
        if found is None:
            return Result(recipient, "", UNKNOWN, "no conversation or Teams user has this id")
        return await self._send_to(recipient, found)

    async def _send_to(self, recipient: str, record: Record) -> Result:
        if self._give_up:
            return Result(recipient, "", FAILED, "given up: the channel asked to wait for too long")
        try:
            conversation = await self._conversation(record)
        except (ConnectorError, CallerForbidden) as error:
            if _is_unauthorized(error):
                raise
            reason = f"no conversation can be created: {reason_of(error)}"
            return Result(recipient, "", FAILED, reason)
        if conversation is None:
            return Result(recipient, "", REPEATED, "another recipient is the same user")
        blob = conversation_blob(conversation.id)
        if not self._report.claim(blob):
            return Result(recipient, "", REPEATED, "another recipient has the same conversation")
        return Result(recipient, blob, *await self._outcome(conversation))

    async def _conversation(self, record: Record) -> ConversationRecord | None:
        """Where to send; None when another recipient is the same user."""
        if isinstance(record, ConversationRecord):
            return record
        if record.conversation:
            return record.personal
        if not self._report.claim(f"user {record.ids[0]}"):
            return None
        return await self._sender.create_conversation(record)

    async def _outcome(self, conversation: ConversationRecord) -> tuple[str, str]:
        """Send; returns the result and the reason."""
        try:
            await self._sender.send(conversation, self._notification.activity())
        except (ConnectorError, CallerForbidden) as error:
            if _is_unauthorized(error):
                raise
            return _result_of(error), reason_of(error)
        except (Unavailable, OutOfTime):
            raise
        except Exception as error:  # noqa: BLE001  # whatever the bot's middleware raises
            return UNCERTAIN, f"{type(error).__name__} in the bot's own code: see the log"
        return SENT, ""


REASONS = {
    HTTPStatus.FORBIDDEN: "the bot was blocked or removed there",
    HTTPStatus.NOT_FOUND: "the conversation is gone",
    HTTPStatus.TOO_MANY_REQUESTS: "the channel asked to wait too often",
    HTTPStatus.PRECONDITION_FAILED: "the channel asked to try again too often",
}


def reason_of(error: ConnectorError | CallerForbidden) -> str:
    """Why a recipient got nothing, for the report."""
    if isinstance(error, CallerForbidden):
        return str(error)
    if connect_failed(error):
        return "the channel cannot be reached"
    status = error.response.status_code
    if not status:
        return "no answer: it may have arrived"
    answer = " ".join(str(each) for each in (status, error.code) if each)
    return f"{answer}: {REASONS[status]}" if status in REASONS else answer


def _result_of(error: ConnectorError | CallerForbidden) -> str:
    if isinstance(error, CallerForbidden) or connect_failed(error):
        return FAILED
    status = error.response.status_code
    if status == HTTPStatus.OK:
        return SENT  # the channel accepted it; only its answer cannot be read
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return FAILED if refused else UNCERTAIN


def _is_unauthorized(error: ConnectorError | CallerForbidden) -> bool:
    """Whether the bot itself is refused: for every recipient, so none has a result."""
    if isinstance(error, CallerForbidden):
        return False
    return bool(error.response.status_code == HTTPStatus.UNAUTHORIZED)
