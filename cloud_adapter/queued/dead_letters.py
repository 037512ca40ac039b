"""DeadLetters: the activities whose turns were given up, and what can be done with them."""

import datetime
from collections.abc import AsyncIterator
from dataclasses import dataclass

from cloud_adapter.errors import NothingToRequeue, UnreadableActivity
from cloud_adapter.queued.inbox import DONE, Inbox, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage

NO_CAUSE = "its turn never ended: the app could not start, or its process died over it"
NO_RING = "the message is no ring: somebody else has put it into the queue"
GONE = "its activity is gone"
MADE = "its turn was made at last"


@dataclass(frozen=True)
class DeadLetter:
    """One dead-lettered activity.

    Attributes:
        message: as taken out of the poison queue.
        ring: the wake-up message in it; None: it holds something else.
        waiting: the activity; None: it no longer exists.
        failure: the redacted traceback of its last turn; or one line that says why there is none.
    """

    message: ReceivedMessage
    ring: WakeUp | None
    waiting: StoredActivity | None
    failure: str

    @property
    def cause(self) -> str:
        """The line that names the error: the last one that is not indented."""
        lines = self.failure.splitlines()
        return next((each for each in reversed(lines) if not each.startswith(" ")), "")

    @property
    def accepted(self) -> datetime.datetime | None:
        """When the channel delivered the activity (UTC)."""
        if self.waiting is None:
            return None
        return datetime.datetime.fromtimestamp(self.waiting.accepted / 1e9, datetime.UTC)


class DeadLetters:
    """What lies in the poison queue. Each method raises StorageUnavailable.

    Args:
        activities: those that wait, or have waited.
        queue: rings for their turns.
        poison: has the rings of those that were given up.
    """

    def __init__(self, activities: Inbox, queue: MessageQueue, poison: MessageQueue) -> None:
        self._activities = activities
        self._queue = queue
        self._poison = poison

    async def all(self) -> AsyncIterator[DeadLetter]:
        """Take every message out, for a minute: `keep` puts it back."""
        async for message in self._poison.receive_all():
            yield await self._described(message)

    async def keep(self, turn: DeadLetter) -> None:
        """Put it back."""
        await self._poison.release(turn.message)

    async def replay(self, turn: DeadLetter) -> None:
        """Let its activity have another five tries.

        Raises:
            NothingToRequeue: there is no activity.
        """
        if turn.ring is None or turn.waiting is None:
            raise NothingToRequeue(turn.failure)
        if turn.waiting.state != DONE:
            await self._activities.revive(turn.waiting)
            await self._queue.put(WakeUp(turn.ring.activity).text)
        await self._poison.delete(turn.message)

    async def drop(self, turn: DeadLetter) -> None:
        """Forget it: its activity is emptied, and gets no turn."""
        if turn.waiting is not None:
            await self._activities.finish(turn.waiting)
        await self._poison.delete(turn.message)

    async def _described(self, message: ReceivedMessage) -> DeadLetter:
        try:
            ring = WakeUp.parse(message.text)
        except ValueError:
            return DeadLetter(message, None, None, NO_RING)
        waiting = await self._activities.read(ring.activity)
        if waiting is None:
            return DeadLetter(message, ring, None, GONE)
        if not waiting.content:
            return DeadLetter(message, ring, waiting, MADE)
        try:
            failure = waiting.delivery().failure or NO_CAUSE
        except UnreadableActivity as error:
            failure = str(error)
        return DeadLetter(message, ring, waiting, failure)
