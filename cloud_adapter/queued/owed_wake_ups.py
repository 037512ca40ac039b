"""OwedWakeUps: wake-up messages of activities that may be stored although storing them failed."""

import asyncio
import logging

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.wake_up import BACKOFF, WakeUp
from cloud_adapter.storage.queue import MessageQueue

MAX_SECONDS = 600.0
"""How long putting a wake-up message is retried. After that, the conversation's next activity has
one."""

log = logging.getLogger(__name__)


class OwedWakeUps:
    """Puts wake-up messages in the background, with retries: one task for each conversation.

    Args:
        queue: takes the messages.
    """

    def __init__(self, queue: MessageQueue) -> None:
        self._queue = queue
        self._owed: set[str] = set()  # conversations whose next put has not begun
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, conversation: str) -> None:
        """Put a wake-up message for all that a conversation's inbox holds now."""
        self._owed.add(conversation)
        if conversation not in self._tasks:
            self._tasks[conversation] = asyncio.create_task(self._put(conversation))

    async def _put(self, conversation: str) -> None:
        now = asyncio.get_running_loop().time
        end, failures = now() + MAX_SECONDS, 0
        try:
            while conversation in self._owed:
                self._owed.remove(conversation)  # now: a put is too early for what comes during it
                try:
                    await self._queue.put(WakeUp(conversation).text)
                except StorageUnavailable as error:
                    failures += 1
                    pause = BACKOFF.pause(failures)
                    if now() + pause > end:
                        log.warning("Stored activities wait until others arrive: %s", error)
                        return
                    self._owed.add(conversation)
                    await asyncio.sleep(pause)
        finally:
            del self._tasks[conversation]
