"""MessageQueue: a queue of the bot's storage account, in the encoding of the Functions host.

The Functions host hides a message for ten minutes while its function runs, and others get it only
then if the host is lost. So a function that runs for long takes the message over from its host, see
`held`: it hides it for seconds, renews that while it runs, and deletes it itself. The host's own
receipt is stale by then, so that its renewals, its delete and its release do nothing, and log
nothing. (Microsoft.Azure.WebJobs.Extensions.Storage.Queues, QueueProcessor and
UpdateQueueMessageVisibilityCommand.)
"""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import (
    StorageAccount,
    StorageRequest,
    error_code,
    header,
    parse_xml,
)
from http_client.observer import moment

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 48 * 1024
"""Of UTF-8: base64 makes 64 KiB of them, the most that a queue takes."""

VISIBILITY_TIMEOUT_SECONDS = 60
"""The time for which a received message is invisible to others."""

_MISSING = frozenset({"QueueNotFound"})
_LOST = frozenset({"MessageNotFound", "PopReceiptMismatch"})


class ReceivedMessage(NamedTuple):
    """A message that is invisible to others for a while.

    Attributes:
        id: GUID.
        text: the message.
        dequeue_count: how often it was received, this time included.
        receipt: its pop receipt, which hiding and deleting it need.
    """

    id: str
    text: str
    dequeue_count: int
    receipt: str


class MessageQueue:
    """A queue, which is created when the first message is put into it.

    Each method raises StorageUnavailable when the account does not answer, or refuses access.

    Args:
        account: the bot's storage account.
        name: the queue's name.

    Attributes:
        name: the same.
    """

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self.name = name
        self._messages = f"{name}/messages"

    @moment("queue.put")
    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue. It never expires.

        Args:
            text: at most MAX_MESSAGE_BYTES of UTF-8; other bytes as `surrogateescape` has them.
            delay: seconds until it becomes visible.

        Raises:
            ValueError: the message is too large.
        """
        data = text.encode(errors="surrogateescape")
        if len(data) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message may have at most {MAX_MESSAGE_BYTES} bytes")
        content = base64.b64encode(data)  # as host.json's messageEncoding says
        body = b"<QueueMessage><MessageText>%b</MessageText></QueueMessage>" % content
        query = {"messagettl": "-1", "visibilitytimeout": str(round(delay))}
        request = StorageRequest("queue", "POST", self._messages, query, body=body)
        if error_code(await self._account.call(request, _MISSING)):
            await self._account.call(StorageRequest("queue", "PUT", self.name))
            await self._account.call(request)

    async def receive_all(self) -> AsyncIterator[ReceivedMessage]:
        """Receive every visible message. Each is invisible to others for a minute."""
        query = {"numofmessages": "32", "visibilitytimeout": str(VISIBILITY_TIMEOUT_SECONDS)}
        request = StorageRequest("queue", "GET", self._messages, query)
        while True:
            response = await self._account.call(request, _MISSING)
            messages = () if error_code(response) else parse_xml(response).findall("QueueMessage")
            if not messages:
                return
            for message in messages:
                yield ReceivedMessage(
                    message.findtext("MessageId", ""),
                    _decoded(message.findtext("MessageText", "")),
                    int(message.findtext("DequeueCount", "1")),
                    message.findtext("PopReceipt", ""),
                )

    async def hide(self, message: ReceivedMessage, seconds: int) -> ReceivedMessage | None:
        """Hide a received message from now on for so many seconds; 0: others can receive it.

        Returns:
            The message with its new receipt; None: it is gone, or others have received it.
        """
        query = {"popreceipt": message.receipt, "visibilitytimeout": str(seconds)}
        request = StorageRequest("queue", "PUT", self._path(message), query)
        response = await self._account.call(request, _LOST)
        if error_code(response):
            return None
        return message._replace(receipt=header(response, "x-ms-popreceipt"))

    async def delete(self, message: ReceivedMessage) -> None:
        """Delete a received message, unless it is gone, or others have received it."""
        query = {"popreceipt": message.receipt}
        await self._account.call(
            StorageRequest("queue", "DELETE", self._path(message), query), _LOST
        )

    def _path(self, message: ReceivedMessage) -> str:
        return f"{self._messages}/{message.id}"


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content  # put in by somebody else, without the host's encoding


TAKE_OVER_SECONDS = 10.0
"""A function that takes less time leaves its message to the host, and sends no request for it."""

HIDDEN_SECONDS = 20
"""A message that has been taken over is received again after this time at the latest, if its
process has died."""

RENEWAL_SECONDS = 7.0
"""The time between two renewals: one may fail."""


@asynccontextmanager
async def held(queue: MessageQueue, message: ReceivedMessage) -> AsyncIterator["HeldMessage"]:
    """The block works on a message. An exception leaves the message in the queue.

    Args:
        queue: the message's.
        message: as the host has received it.
    """
    own = HeldMessage(queue, message)
    try:
        yield own
    except BaseException:
        await own.end()
        raise
    if await own.end():
        try:
            await queue.delete(own.message)
        except StorageUnavailable as error:
            log.warning("A message was not deleted, and will be received again: %s", error)


class HeldMessage:
    """A message that a function of this process works on.

    Attributes:
        message: with its newest receipt.
    """

    def __init__(self, queue: MessageQueue, message: ReceivedMessage) -> None:
        self.message = message
        self._queue = queue
        self._loop = asyncio.get_running_loop()
        self._is_lost = False
        self._hidden_until: float | None = None  # None: for as long as the host hides it
        self._ended = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None
        # Not a task that sleeps: most functions end before.
        self._timer = self._loop.call_later(TAKE_OVER_SECONDS, self._take_over)

    @property
    def id(self) -> str:
        """The message's."""
        return self.message.id

    @property
    def is_lost(self) -> bool:
        """Whether others have received the message, or may have since it was hidden last."""
        if self._hidden_until is not None and self._loop.time() >= self._hidden_until:
            return True
        return self._is_lost

    def lose(self) -> None:
        """Note that others have received it."""
        self._is_lost = True

    def _take_over(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while not self._is_lost and not self._ended.is_set():
            sent_at = self._loop.time()
            try:
                hidden = await self._queue.hide(self.message, HIDDEN_SECONDS)
                if hidden is None:
                    self._is_lost = True
                    return
                self.message, self._hidden_until = hidden, sent_at + HIDDEN_SECONDS
            except StorageUnavailable as error:
                log.warning("A message could not be hidden any longer: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(sent_at + RENEWAL_SECONDS):
                    await self._ended.wait()

    async def end(self) -> bool:
        """Hold it no longer; returns whether it must be deleted here."""
        self._timer.cancel()
        self._ended.set()
        if self._renewing is None:
            return False
        await asyncio.wait({self._renewing})  # cut off, it may leave either receipt
        return not self._is_lost
