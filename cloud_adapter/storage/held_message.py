"""held: lets a function keep its own queue message, for seconds at a time.

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
"""After its process has died, a message is received again after this time at the latest."""

RENEWAL_SECONDS = 7.0
"""The time between two renewals: one may fail."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def held(queue: MessageQueue, message: ReceivedMessage) -> AsyncIterator[None]:
    """The block works on a message, and raises if the message must be received again.

    Args:
        queue: the message's.
        message: as the host has received it.
    """
    hold = _Hold(queue, message)
    try:
        yield
    except BaseException:
        await hold.end()
        raise
    taken = await hold.end()
    if taken is not None:
        try:
            await queue.delete(taken)
        except StorageUnavailable as error:
            log.warning("A message was not deleted, and will be received again: %s", error)


class _Hold:
    def __init__(self, queue: MessageQueue, message: ReceivedMessage) -> None:
        self._queue = queue
        self._message: ReceivedMessage | None = message
        self._ended = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None
        # Not a task that sleeps: most functions end before.
        self._timer = asyncio.get_running_loop().call_later(TAKE_OVER_SECONDS, self._take_over)

    def _take_over(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while self._message is not None and not self._ended.is_set():
            try:
                self._message = await self._queue.hide(self._message, HIDDEN_SECONDS)
            except StorageUnavailable as error:
                log.warning("A message could not be hidden any longer: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await self._ended.wait()

    async def end(self) -> ReceivedMessage | None:
        """Hold it no longer; returns the message if it must be deleted here."""
        self._timer.cancel()
        self._ended.set()
        if self._renewing is None:
            return None
        await asyncio.wait({self._renewing})  # cut off, it may leave either receipt
        return self._message
