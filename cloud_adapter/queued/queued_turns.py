"""QueuedTurns: the channel is answered at once, and turns run from a queue.

As long as the storage account loses nothing, these are guaranteed:

- An activity that was answered 202 gets its turn, even if a process dies: it is stored in a blob,
  and a wake-up message (`WakeUp`) stays in the queue until its turn is done.
- An activity that is delivered again within an hour gets no second turn (codec/activity_key.py says
  how it is recognized).
- Turns of one conversation run one at a time, in the order in which their activities were accepted.
  An activity whose turn failed is tried again later, and does not block those after it.
- A turn that was cut off runs again from its start. Its state changes are saved once, but its
  replies may be sent twice.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from auth.errors import Unavailable
from cloud_adapter.errors import ConversationBusy
from cloud_adapter.queued.drain import Drain, RunTurn
from cloud_adapter.queued.inbox import WAITING, Inbox, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.blobs import LEASE_SECONDS
from cloud_adapter.storage.queue import MessageQueue

QUEUE = "bot-turns"
POISON_QUEUE = f"{QUEUE}-poison"

MOST_WAITERS = 8
"""Rings that wait here for a run that is going on: the host's other slots are for others."""

LONGEST_WAIT = 2.0
"""Seconds that one waits."""

FIRST_PAUSE = 1.0
"""Seconds after which a ring that found its conversation busy comes again for the first time."""

log = logging.getLogger(__name__)


class QueuedTurns:
    """Accepts activities, and runs their turns when wake-up messages (`WakeUp`) arrive.

    Args:
        activities: the stored activities.
        queue: takes the wake-up messages.
        poison: gets the wake-up messages of dead-lettered activities.
        locks: let one turn of a conversation run at a time.
        redact: hide what users sent from stored tracebacks; False on a developer's machine.
    """

    def __init__(
        self,
        activities: Inbox,
        queue: MessageQueue,
        poison: MessageQueue,
        locks: ConversationLocks,
        *,
        redact: bool = True,
    ) -> None:
        self._activities = activities
        self._queue = queue
        self._poison = poison
        self._locks = locks
        self._redact = redact
        self._runs: dict[str, Drain] = {}
        self._waiters = 0

    async def enqueue(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> None:
        """Take an activity: once this returns, it will get its turn.

        Args:
            activity: an Activity.
            body: its JSON, as delivered.
            claims: of the caller that the check let in.

        Raises:
            StorageUnavailable: it is not taken, and must be delivered again.
        """
        waiting = await self._activities.keep(activity, body, claims)
        if waiting.state == WAITING:
            # Rung again, where it is delivered again: nobody knows whether it was rung before.
            ring = self._queue.put(WakeUp(waiting.name).text)
            await asyncio.gather(self._activities.line_up(waiting), ring)

    async def drain(self, message: str, dequeue_count: int, run: RunTurn) -> None:
        """The queue rings: run what waits in the conversation.

        Args:
            message: the ring.
            dequeue_count: how often the host has seen it.
            run: runs one turn.

        Raises:
            TurnFailed: the host shall ring again.
            ValueError: the message is no ring.
            StorageUnavailable: the host shall ring again.
        """
        ring = WakeUp.parse(message)
        later = ring.later(dequeue_count)
        try:
            own = await self._activities.find(ring.activity)
            if own is None or own.state != WAITING:
                return  # it had its turn with those before it, mostly
            async with self._locks.lock(ring.conversation, lock_timeout=0):
                done = await self._run_line(ring, own, run, careful=later.seen > 0)
        except ConversationBusy:
            if not await self._run_elsewhere(ring):
                pause = LEASE_SECONDS if ring.again else FIRST_PAUSE
                await self._queue.put(later.text, pause)
            return
        except Unavailable as error:
            log.warning("A turn in %s must wait: %s", ring.conversation, error)
            done = False
        if not done:
            await self._queue.put(later.text, ring.pause)

    async def _run_line(
        self, ring: WakeUp, own: StoredActivity, run: RunTurn, *, careful: bool
    ) -> bool:
        line_run = Drain(
            self._activities,
            self._poison,
            self._locks,
            own,
            run,
            careful=careful,
            redact=self._redact,
        )
        self._runs[ring.conversation] = line_run
        try:
            return await line_run.go()
        finally:
            del self._runs[ring.conversation]

    async def _run_elsewhere(self, ring: WakeUp) -> bool:
        """Whether the run that has the conversation has run the activity too.

        Mostly it does, and soon: a ring that waits costs nothing.
        """
        line_run = self._runs.get(ring.conversation)
        if line_run is None or self._waiters >= MOST_WAITERS:
            return False
        self._waiters += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                return await line_run.ended(ring.activity)
        except TimeoutError:
            return False
        finally:
            self._waiters -= 1
