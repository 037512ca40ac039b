"""NotificationRun: one invocation's work on a notification."""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

from auth.errors import CallerForbidden, Unavailable
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.errors import OutOfTime
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.records import ConversationRecord
from cloud_adapter.proactive.references import ConversationReferences, Record, conversation_blob
from cloud_adapter.proactive.report import (
    FAILED,
    REPEATED,
    SENT,
    UNCERTAIN,
    UNKNOWN,
    NotificationReport,
    Result,
)
from cloud_adapter.proactive.sender import NotificationSender, connect_failed

MAX_CONCURRENT = 8
"""Recipients that are sent to at the same time."""

REASONS = {
    HTTPStatus.FORBIDDEN: "the bot was blocked or removed there",
    HTTPStatus.NOT_FOUND: "the conversation is gone",
    HTTPStatus.TOO_MANY_REQUESTS: "the channel asked to wait too often",
    HTTPStatus.PRECONDITION_FAILED: "the channel asked to try again too often",
}


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
        """What became of a recipient; None when the bot was removed there a moment ago."""
        if self._notification.to_all:
            record = await self._references.read(recipient)
            return await self._send_to(record.id, record) if record else None
        found = await self._references.find(recipient)
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
