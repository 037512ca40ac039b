"""QueuedTurns: the channel gets its answer at once, and turns run from a queue.

As long as the storage account loses nothing, this is guaranteed:

- An activity that was answered 202 is processed, even if a process dies: it is stored in a blob,
  and a wake-up message (`WakeUp`) stays in the queue until it is processed.
- An activity that is received again within an hour is not processed again (codec/activity_key.py
  says how it is recognized).
- Turns of one conversation run one at a time, in the order in which their activities were accepted.
  A turn that failed is tried again later, and does not block those after it.
- A turn that was cut off runs again from its start. Its state changes are saved once, but its
  replies may be sent twice.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from auth.errors import Unavailable
from cloud_adapter.errors import ConversationBusy
from cloud_adapter.queued.drain import Drain, RunTurn
from cloud_adapter.queued.inbox import Inbox
from cloud_adapter.queued.stored_activity import WAITING, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.blobs import LEASE_SECONDS
from cloud_adapter.storage.queue import MessageQueue

QUEUE = "bot-turns"
POISON_QUEUE = f"{QUEUE}-poison"

MAX_WAITING_MESSAGES = 8
"""Wake-up messages that wait in this process for a drain of their conversation. The host's other
slots are left to other conversations."""

MAX_WAIT_SECONDS = 2.0
"""How long each of them waits."""

FIRST_BUSY_PAUSE_SECONDS = 1.0
"""The pause before the second wake-up message for an activity whose conversation was busy."""

log = logging.getLogger(__name__)


class QueuedTurns:
    """Stores activities, and runs their turns when their wake-up messages arrive.

    Args:
        inbox: the stored activities.
        queue: takes the wake-up messages.
        poison_queue: gets the wake-up messages of dead-lettered activities.
        locks: run one turn of a conversation at a time.
        redact: hide what users sent from stored tracebacks; False on a developer's machine.

    Attributes:
        waiting_messages: how many wake-up messages wait for a drain of this process.
    """

    def __init__(
        self,
        inbox: Inbox,
        queue: MessageQueue,
        poison_queue: MessageQueue,
        locks: ConversationLocks,
        *,
        redact: bool = True,
    ) -> None:
        self.waiting_messages = 0
        self._inbox = inbox
        self._queue = queue
        self._poison_queue = poison_queue
        self._locks = locks
        self._redact = redact
        self._drains: dict[str, Drain] = {}

    async def enqueue(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> None:
        """Store an activity: once this returns, it will be processed.

        Args:
            activity: an Activity.
            body: its JSON, as received.
            claims: the claims of the caller, which have been checked.

        Raises:
            StorageUnavailable: it is not stored, and the channel must send it again.
        """
        stored = await self._inbox.store(activity, body, claims)
        if stored.state == WAITING:
            # Also if it was stored before: its wake-up message may not have been sent.
            message = WakeUp(stored.name).text
            await asyncio.gather(self._inbox.mark(stored), self._queue.put(message))

    async def drain(self, message: str, dequeue_count: int, run_turn: RunTurn) -> None:
        """Handle a wake-up message: run the turns of the activities that wait in a conversation.

        Args:
            message: the wake-up message.
            dequeue_count: how often the host has delivered it.
            run_turn: runs one turn.

        Raises:
            TurnFailed, StorageUnavailable: the host must deliver the message again.
            ValueError: it is not a wake-up message.
        """
        wake_up = WakeUp.parse(message)
        following = wake_up.next(dequeue_count)
        pause = wake_up.pause
        try:
            target = await self._inbox.find(wake_up.activity)
            if target is None or target.state != WAITING:
                return  # an earlier drain has processed it, as a rule
            async with AsyncExitStack() as stack:
                try:
                    lock = self._locks.lock(target.conversation, lock_timeout=0)
                    await stack.enter_async_context(lock)
                except ConversationBusy:  # only here: the bot's code may raise it, too
                    done = await self._wait_for_drain(target)
                    pause = LEASE_SECONDS if wake_up.retries else FIRST_BUSY_PAUSE_SECONDS
                else:
                    counts_first = following.redeliveries > 0
                    done = await self._run_drain(target, run_turn, counts_first=counts_first)
        except Unavailable as error:
            log.warning("A turn in %s must wait: %s", wake_up.conversation, error)
            done = False
        if not done:
            await self._queue.put(following.text, pause)

    async def _run_drain(
        self, target: StoredActivity, run_turn: RunTurn, *, counts_first: bool
    ) -> bool:
        drain = Drain(
            self._inbox,
            self._poison_queue,
            self._locks,
            target,
            run_turn,
            counts_first=counts_first,
            redact=self._redact,
        )
        self._drains[target.conversation] = drain
        try:
            return await drain.run()
        finally:
            del self._drains[target.conversation]

    async def _wait_for_drain(self, target: StoredActivity) -> bool:
        """Wait a little for the running drain to deal with the activity, too; True: it did.

        As a rule it does, and a wake-up message that waits saves one that is put back.
        """
        drain = self._drains.get(target.conversation)
        if drain is None or self.waiting_messages >= MAX_WAITING_MESSAGES:
            return False
        self.waiting_messages += 1
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                return await drain.settles(target.name)
        except TimeoutError:
            return False
        finally:
            self.waiting_messages -= 1
