"""QueuedTurns: the channel gets its answer at once, and turns run from a queue.

As long as the storage account loses nothing, this is guaranteed:

- An activity that was answered 202 is processed, even if a process dies: it is in the inbox of its
  conversation, and a wake-up message (`WakeUp`) is in the queue until it is processed.
- An activity that is received again is not processed again, if it is one of the last hundred of the
  conversation (`activity_key` says how it is recognized).
- Turns of one conversation run one at a time, in the order of its inbox. A turn that failed is
  tried again later, and does not block those after it.
- A turn that was cut off runs again from its start. Its state changes are saved once, but its
  replies may be sent twice.
- A turn runs five times at most, whether it raises or its process dies. Then it runs once more, to
  apologize, without the bot's `on_turn`.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from auth.errors import Unavailable
from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from cloud_adapter.queued.drain import (
    RETRY_PAUSE_SECONDS,
    Attempts,
    Drain,
    Isolation,
    RunTurn,
    is_isolated,
)
from cloud_adapter.queued.inbox import FAILED, Inbox, record
from cloud_adapter.queued.set_aside import SetAsideActivities
from cloud_adapter.queued.wake_up import PAUSE_SECONDS, SLOW_APPEND_SECONDS, OwedWakeUps, WakeUp
from cloud_adapter.state.lock import ConversationLocks, HeldLock, conversation_name
from cloud_adapter.state.stored_state import LoadedState
from cloud_adapter.state.turn import turn_id
from cloud_adapter.storage.blobs import Blob, BlobContainer
from cloud_adapter.storage.queue import HeldMessage, MessageQueue, ReceivedMessage, held
from http_client.observer import moment, trace_parent

log = logging.getLogger(__name__)

QUEUE = "bot-turns"
"""The queue of wake-up messages."""

POISON_QUEUE = f"{QUEUE}-poison"
"""The queue of dead letters, to which the host, too, moves messages that it gives up on."""

MAX_WAIT_SECONDS = 1.0
"""The time for which a wake-up message waits for the lock of its conversation."""

MAX_DRAIN_SECONDS = 60.0
"""The time in which an invocation starts turns."""


class QueuedTurns:
    """Stores activities, and runs their turns when their wake-up messages arrive.

    Args:
        blobs: the container of the inboxes and the set-aside activities.
        queue: takes the wake-up messages.
        poison_queue: gets the wake-up messages of dead letters.
        locks: run one turn of a conversation at a time.
        redact: hide what users sent from stored tracebacks; False on a developer's machine.
        clock: returns nanoseconds since the epoch.
        slow_append_seconds: an append that takes longer is followed by another wake-up message.
        max_drain_seconds: how long an invocation starts turns.
    """

    def __init__(
        self,
        blobs: BlobContainer,
        queue: MessageQueue,
        poison_queue: MessageQueue,
        locks: ConversationLocks,
        *,
        redact: bool = True,
        clock: Callable[[], int] = time.time_ns,
        slow_append_seconds: float = SLOW_APPEND_SECONDS,
        max_drain_seconds: float = MAX_DRAIN_SECONDS,
    ) -> None:
        self._blobs = blobs
        self._inbox = Inbox(blobs, locks)
        self._set_aside = SetAsideActivities(blobs, poison_queue)
        self._queue = queue
        self._owed_wake_ups = OwedWakeUps(queue)
        self._poison_queue = poison_queue
        self._locks = locks
        self._redact = redact
        self._clock = clock
        self._slow_append_seconds = slow_append_seconds
        self._max_drain_seconds = max_drain_seconds
        self._isolation = Isolation()
        self._commits = GroupCommit(self._store)
        self._drains: dict[str, Drain] = {}
        self._retrying: set[str] = set()

    @moment("queued.enqueue")
    async def enqueue(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> None:
        """Store an activity: once this returns, it will be processed.

        If it is cancelled, the activity is stored all the same, and processed.

        Args:
            activity: an Activity.
            body: its JSON, as received.
            claims: the claims of the caller, which have been checked.

        Raises:
            StorageUnavailable: it may not be stored, and the channel must send it again.
        """
        # Without a key, a second delivery looks like a second activity.
        activity_id = turn_id(activity) or uuid4().hex
        content = record(activity_id, self._clock(), claims, body, trace_parent())
        await self._commits.add(conversation_name(activity), activity_id, content)

    async def _store(self, batch: "Batch") -> None:
        try:
            await self._append(batch)
        except StorageUnavailable:
            # It may be in the inbox all the same, and the channel need not send it again.
            self._owed_wake_ups.add(batch.conversation)
            raise

    async def _append(self, batch: "Batch") -> None:
        """Append a batch to its inbox, and put its wake-up message. It ends when both have."""
        wake_up = WakeUp(batch.conversation, tuple(batch.ids))
        append = self._inbox.append(batch.conversation, bytes(batch.records))
        if self._joinable(batch.conversation):
            # Its own message is in the queue until it ends, so no other is needed.
            await append
            if drain := self._joinable(batch.conversation):
                drain.add(wake_up)
            else:
                await self._queue.put(wake_up.text)
            return
        loop = asyncio.get_running_loop()
        start = loop.time()
        put = self._queue.put(wake_up.text)
        for failure in await asyncio.gather(append, put, return_exceptions=True):
            if failure is not None:
                raise failure
        if loop.time() - start > self._slow_append_seconds:
            await self._queue.put(wake_up.text)

    def _joinable(self, conversation: str) -> Drain | None:
        """A drain of this process whose own message is in the queue until it ends."""
        drain = self._drains.get(conversation)
        return None if drain is None or drain.message.is_lost else drain

    @moment("queued.wake_up")
    async def handle_message(self, message: ReceivedMessage, run_turn: RunTurn) -> None:
        """Handle a wake-up message: run the turns of the activities that wait in a conversation.

        Args:
            message: as the host has received it from the queue.
            run_turn: runs one turn.

        Raises:
            StorageUnavailable: the host must deliver the message again.
        """
        try:
            wake_up = WakeUp.parse(message.text)
        except ValueError:
            reason = "it is not a wake-up message"
            log.error("Message %s in %s is dead-lettered: %s", message.id, QUEUE, reason)  # noqa: TRY400  # the traceback says nothing
            await self._poison_queue.put(message.text)
            return
        if message.dequeue_count > 1:
            # Its drain may have joined activities that no other message stands for.
            wake_up = wake_up.next(wake_up.retries)
        async with held(self._queue, message) as own:
            await self._handle(wake_up, own, run_turn)

    async def _handle(self, wake_up: WakeUp, message: HeldMessage, run_turn: RunTurn) -> None:
        attempts = Attempts(
            self._set_aside, self._queue, run_turn, redact=self._redact, clock=self._clock
        )
        retries = 0
        try:
            if wake_up.is_for_inbox:
                pause = await self._drain(wake_up, message, attempts)
            else:
                pause = await self._retry(wake_up, attempts)
        except Unavailable as error:
            log.warning("A turn in %s must wait: %s", wake_up.conversation, error)
            pause, retries = wake_up.pause, wake_up.retries + 1
        if pause is not None:
            await self._queue.put(wake_up.next(retries).text, pause)

    async def _drain(
        self, wake_up: WakeUp, message: HeldMessage, attempts: Attempts
    ) -> float | None:
        """Drain an inbox; returns seconds until another wake-up message is needed, if one is."""
        conversation = wake_up.conversation
        if running := self._drains.get(conversation):
            if running.message.id == message.id:  # it was delivered again
                running.message.lose()
            if running.message.is_lost:  # so another one must stay in the queue
                return RETRY_PAUSE_SECONDS
            running.add(wake_up)
            return None
        drain = Drain(
            conversation,
            message,
            self._inbox,
            self._blobs,
            attempts,
            self._locks,
            self._max_drain_seconds,
        )
        drain.add(wake_up)
        self._drains[conversation] = drain
        try:
            # Most messages of a burst come after another one's drain. They need no lease.
            state = await self._locks.read(conversation)
            if drain.is_done(state):
                return None
            with self._isolation.slot(conversation, drain.cut_offs) as may_run:
                if not may_run:
                    return RETRY_PAUSE_SECONDS
                run = functools.partial(drain.run, alone=is_isolated(drain.cut_offs))
                return await self._in_lock(conversation, run, drain.read, state)
        finally:
            # Nothing can be added after the drain's last look: the lock's end awaits nothing.
            del self._drains[conversation]

    async def _retry(self, wake_up: WakeUp, attempts: Attempts) -> float | None:
        """Run the turn of a set-aside activity; returns what `_drain` does."""
        conversation = wake_up.conversation
        if conversation in self._retrying:  # the host's other slots are left to others
            return RETRY_PAUSE_SECONDS

        self._retrying.add(conversation)
        try:
            stored = await self._set_aside.find(wake_up.name)
            if stored is None or stored.state == FAILED:
                return None
            cut_offs = stored.after_cut_off().cut_offs
            with self._isolation.slot(stored.name, cut_offs) as may_run:
                if not may_run:
                    return RETRY_PAUSE_SECONDS
                alone = is_isolated(cut_offs)
                run = functools.partial(self._run_set_aside, wake_up.name, attempts, alone=alone)
                state = await self._locks.read(conversation)
                return await self._in_lock(conversation, run, known=state)
        finally:
            self._retrying.discard(conversation)

    async def _run_set_aside(
        self, name: str, attempts: Attempts, held: HeldLock, *, alone: bool
    ) -> float | None:
        found = await self._set_aside.find(name)  # again: another process may have run it
        if found is None or found.state == FAILED:
            return None
        stored = found.after_cut_off()
        position = LoadedState(held.blob).position
        if held.blob and held.blob.was_abandoned and stored is found and position:
            # It was not this turn that was cut off, but that of the first unprocessed record.
            position = position._replace(cut_offs=position.cut_offs + 1)
            await held.write_position(position)
        if is_isolated(stored.cut_offs) and (stored is not found or not alone):
            await self._set_aside.write(stored)
            return RETRY_PAUSE_SECONDS
        held.position = position
        await attempts.run(stored, is_set_aside=True)
        return None

    async def _in_lock(
        self,
        conversation: str,
        work: Callable[[HeldLock], Awaitable[float | None]],
        meanwhile: Callable[[], Awaitable[object]] | None = None,
        known: Blob | None = None,
    ) -> float | None:
        async with AsyncExitStack() as stack:
            lock = self._locks.lock(conversation, MAX_WAIT_SECONDS, meanwhile, known)
            try:
                held = await stack.enter_async_context(lock)
                await held.confirm()
            except ConversationBusy:  # only here: the bot's code may raise it, too
                return PAUSE_SECONDS
            return await work(held)


MAX_BATCH_BYTES = 128 * 1024
"""A batch has more only if it has a single record. So the ids always fit into a queue message."""

Store = Callable[["Batch"], Awaitable[None]]


class Batch:
    """Records of a conversation that are stored together.

    Args:
        conversation: its name.
        store: stores the batch.
        earlier: is stored before; None: there is none.

    Attributes:
        ids: of the activities.
        records: the records, one after the other.
        storing: ends when the records are stored; it raises what `store` raises.
    """

    def __init__(self, conversation: str, store: Store, earlier: "Batch | None") -> None:
        self.conversation = conversation
        self.ids: list[str] = []
        self.records = bytearray()
        self._is_open = True
        self.storing = asyncio.create_task(self._store_after(store, earlier))
        # Every caller may be cancelled before it gets the error.
        self.storing.add_done_callback(lambda task: task.cancelled() or task.exception())

    def takes(self, record: bytes) -> bool:
        """Whether a record can be added."""
        return self._is_open and len(self.records) + len(record) <= MAX_BATCH_BYTES

    async def _store_after(self, store: Store, earlier: "Batch | None") -> None:
        if earlier is not None:
            await asyncio.wait([earlier.storing])
        self._is_open = False
        await store(self)


class GroupCommit:
    """Stores the records of each conversation in the order in which they arrive.

    Args:
        store: stores a batch.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[str, Batch] = {}

    async def add(self, conversation: str, activity_id: str, record: bytes) -> None:
        """Store a record, and wait until it is stored. Raises what `store` raises."""
        batch = self._last.get(conversation)
        if batch is None or not batch.takes(record):
            batch = self._last[conversation] = Batch(conversation, self._store, batch)
            # Not here, at the end: every caller may be cancelled before.
            batch.storing.add_done_callback(functools.partial(self._forget, batch))
        batch.ids.append(activity_id)
        batch.records += record
        await asyncio.shield(batch.storing)

    def _forget(self, batch: Batch, _: asyncio.Task[None]) -> None:
        if self._last.get(batch.conversation) is batch:
            del self._last[batch.conversation]
