"""held: hides a function's own queue message while it runs, twenty seconds at a time.

The Functions host hides a message for ten minutes while its function runs, and others get it only
then if the host is lost. So a function that runs for long takes the message over from its host: it
hides it for seconds, renews that while it runs, and deletes it itself. The host's own receipt is
stale by then, so that its renewals, its delete and its release do nothing, and log nothing.
(Microsoft.Azure.WebJobs.Extensions.Storage.Queues, QueueProcessor and
UpdateQueueMessageVisibilityCommand.)
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage

TAKE_OVER_SECONDS = 10.0
"""A function that takes less time leaves its message to the host, and sends no request for it."""

HIDDEN_SECONDS = 20
"""A message that has been taken over is received again after this time at the latest, if its
process has died."""

RENEWAL_SECONDS = 7.0
"""The time between two renewals: one may fail."""

log = logging.getLogger(__name__)


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
