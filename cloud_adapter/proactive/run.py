"""NotificationRun: one invocation's work on a notification."""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

from auth.errors import CallerForbidden, Unavailable
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.errors import OutOfTime
from cloud_adapter.proactive.conversation_record import ConversationRecord
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.references import ConversationReferences, conversation_blob
from cloud_adapter.proactive.report import (
    FAILED,
    REPEATED,
    SENT,
    UNCERTAIN,
    UNKNOWN,
    NotificationReport,
    Result,
)
from cloud_adapter.proactive.sender import NotificationSender, was_not_sent
from cloud_adapter.proactive.user_record import UserRecord

IN_FLIGHT = 8
"""Recipients at once."""

MEANINGS = {
    HTTPStatus.FORBIDDEN: "the bot was blocked or removed there",
    HTTPStatus.NOT_FOUND: "the conversation is gone",
    HTTPStatus.TOO_MANY_REQUESTS: "the channel asked to wait too often",
    HTTPStatus.PRECONDITION_FAILED: "the channel asked to try again too often",
}


class NotificationRun:
    """Sends to all recipients that have no result yet, until the time is up.

    Args:
        notification: the notification.
        report: its report, loaded.
        references: where the recipients are.
        sender: sends.
        in_time: tells whether another recipient may be begun.
        gives_up: nothing more is sent: who has no result yet gets that one.
    """

    def __init__(
        self,
        notification: Notification,
        report: NotificationReport,
        references: ConversationReferences,
        sender: NotificationSender,
        in_time: Callable[[], bool],
        *,
        gives_up: bool = False,
    ) -> None:
        self._notification = notification
        self._report = report
        self._references = references
        self._sender = sender
        self._in_time = in_time
        self._gives_up = gives_up
        self._left = self._recipients()
        self._taking = asyncio.Lock()
        self._stopped_by: Exception | None = None
        self._complete = True

    async def go(self) -> bool:
        """Send; returns whether every recipient has a result now.

        Raises:
            Unavailable, ConnectorError: nothing can be sent now, whoever the recipient is.
        """
        try:
            await asyncio.gather(*(self._work() for _ in range(IN_FLIGHT)))
        finally:
            await self._report.write()
        if self._stopped_by is not None:
            raise self._stopped_by
        return self._complete

    async def _recipients(self) -> AsyncIterator[str]:
        """Those without a result: ids, or with ALL the blobs of conversations."""
        if self._notification.to_all:
            async for name in self._references.names(self._notification.channel):
                if not self._report.has_conversation(name):
                    yield name
        else:
            for recipient in self._notification.to:
                if not self._report.has(recipient):
                    yield recipient

    async def _work(self) -> None:
        """One of those who send at once. None is cut off in the middle when another one fails."""
        try:
            while (recipient := await self._next()) is not None:
                if result := await self._result(recipient):
                    await self._report.add(result)
        except OutOfTime:
            self._complete = False
        except Exception as error:  # noqa: BLE001  # raised when the others have ended, too
            self._stopped_by = error

    async def _next(self) -> str | None:
        async with self._taking:
            if self._stopped_by is not None:
                return None
            if not self._in_time():
                self._complete = False
                return None
            return await anext(self._left, None)

    async def _result(self, recipient: str) -> Result | None:
        """What has become of a recipient; None: the bot was removed there a moment ago."""
        if self._notification.to_all:
            kept = await self._references.read(recipient)
            return await self._told(kept.id, kept) if kept else None
        found = await self._references.find(recipient)
        if found is None:
            return Result(recipient, "", UNKNOWN, "no conversation or Teams user has this id")
        return await self._told(recipient, found)

    async def _told(self, recipient: str, found: ConversationRecord | UserRecord) -> Result:
        if self._gives_up:
            return Result(recipient, "", FAILED, "given up: the channel asked to wait for too long")
        try:
            conversation = await self._conversation(found)
        except (ConnectorError, CallerForbidden) as error:
            _stop_at(error)
            return Result(recipient, "", FAILED, f"no conversation can be begun: {reason(error)}")
        if conversation is None:
            return Result(recipient, "", REPEATED, "another recipient is the same user")
        blob = conversation_blob(conversation.id)
        if not self._report.claim(blob):
            return Result(recipient, "", REPEATED, "another recipient has the same conversation")
        return Result(recipient, blob, *await self._outcome(conversation))

    async def _conversation(
        self, found: ConversationRecord | UserRecord
    ) -> ConversationRecord | None:
        """Where to send; None: another recipient was the same user, and has it begun."""
        if isinstance(found, ConversationRecord):
            return found
        if found.conversation:
            return found.personal
        if not self._report.claim(f"user {found.ids[0]}"):
            return None
        return await self._sender.begin(found)

    async def _outcome(self, conversation: ConversationRecord) -> tuple[str, str]:
        try:
            await self._sender.send(conversation, self._notification.activity())
        except ConnectorError as error:
            _stop_at(error)
            return _result_of(error), reason(error)
        except CallerForbidden as error:
            return FAILED, reason(error)
        except (Unavailable, OutOfTime):
            raise
        except Exception as error:  # noqa: BLE001  # whatever the bot's middleware raises
            return UNCERTAIN, f"{type(error).__name__} in the bot's own code: see the log"
        return SENT, ""


def reason(error: Exception) -> str:
    """Why a recipient got nothing, for the report."""
    if not isinstance(error, ConnectorError):
        return str(error)
    status = error.response.status_code
    if not status:
        sent = "no answer: it may have arrived"
        return "the channel cannot be reached" if was_not_sent(error) else sent
    said = " ".join(str(each) for each in (status, error.code) if each)
    return f"{said}: {MEANINGS[status]}" if status in MEANINGS else said


def _result_of(error: ConnectorError) -> str:
    status = error.response.status_code
    if status == HTTPStatus.OK:
        return SENT  # its answer only has another shape
    certain = was_not_sent(error) or HTTPStatus.BAD_REQUEST <= status < 500
    return FAILED if certain else UNCERTAIN


def _stop_at(error: Exception) -> None:
    """Raise what is no matter of this recipient: the bot itself is not let in."""
    if isinstance(error, ConnectorError) and error.response.status_code == HTTPStatus.UNAUTHORIZED:
        raise error
