"""OwedWakeUps: wake-up messages of activities that may be stored although storing them failed."""

import asyncio
import logging

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.wake_up import WakeUp
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
        # By conversation, how many were asked for. A message serves all that were asked for before
        # its put began: it stands for what the inbox holds by then.
        self._owed: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, conversation: str) -> None:
        """Put a wake-up message for all that a conversation's inbox holds now."""
        self._owed[conversation] = self._owed.get(conversation, 0) + 1
        if self._owed[conversation] == 1:
            task = asyncio.create_task(self._put(conversation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _put(self, conversation: str) -> None:
        now = asyncio.get_running_loop().time
        end, failures, served = now() + MAX_SECONDS, 0, 0
        try:
            while served < (owed := self._owed[conversation]):
                try:
                    await self._queue.put(WakeUp(conversation).text)
                    served = owed
                except StorageUnavailable as error:
                    pause = WakeUp(conversation, (), failures).pause
                    if now() + pause > end:
                        log.warning("Stored activities wait until others arrive: %s", error)
                        return
                    await asyncio.sleep(pause)
                    failures += 1
        finally:
            del self._owed[conversation]
