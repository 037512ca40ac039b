"""Drain: runs the turns of the activities in a conversation's inbox, one after the other.

Attempts runs each turn, and deals with those that fail. When a process dies, every turn that runs
in it is cut off, and it is not known which one was at fault. A turn that was cut off once runs
again beside all others. One that was cut off again is put back into the queue for a while, so that
the others can end first, and then runs while no other such turn does, see Isolation: if the process
dies again, only this one of them was running. A turn that waits for that has no lease, because its
lease would say that it was cut off, too.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto

from auth.errors import Unavailable
from cloud_adapter.errors import TurnRepeated, UnknownFormat, UnreadableActivity
from cloud_adapter.queued.inbox import (
    RUNNING,
    WAITING,
    AcceptedActivity,
    Inbox,
    Records,
    StoredActivity,
)
from cloud_adapter.queued.set_aside import SetAsideActivities
from cloud_adapter.queued.wake_up import PAUSE_SECONDS, WakeUp
from cloud_adapter.redaction import redacted_traceback
from cloud_adapter.state.lock import ConversationLocks, HeldLock
from cloud_adapter.state.stored_state import InboxPosition, LoadedState
from cloud_adapter.storage.blobs import Blob, BlobContainer
from cloud_adapter.storage.queue import HeldMessage, MessageQueue
from http_client.observer import moment

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
"""Attempts at a turn."""

RETRY_PAUSE_SECONDS = 5.0
"""The pause between two attempts at a turn."""

MAX_OUTAGE_SECONDS = 3600.0
"""An activity whose turn was unavailable for this time is dead-lettered."""

ALWAYS_DIED = "the process died in every attempt, also in one without the bot's on_turn"


class Attempt(Enum):
    """Which attempt at a turn it is."""

    NOT_LAST = auto()
    """If it fails, another one follows."""
    LAST = auto()
    """If it fails, the activity is dead-lettered."""
    WITHOUT_BOT = auto()
    """The process died in the last attempt: the turn fails without the bot's `on_turn`. The bot's
    middleware still runs, and if the process dies again, there is no further attempt."""


RunTurn = Callable[[AcceptedActivity, Attempt], Awaitable[None]]
"""Runs a turn for an accepted activity. It raises TurnRepeated, Unavailable, or whatever the bot's
code raised."""


class Attempts:
    """Runs turns, whose conversation the caller has locked.

    Args:
        set_aside: takes activities whose turns failed.
        queue: takes their wake-up messages.
        run_turn: runs one turn.
        redact: hide what users sent from stored tracebacks; False on a developer's machine.
        clock: returns nanoseconds since the epoch.
    """

    def __init__(
        self,
        set_aside: SetAsideActivities,
        queue: MessageQueue,
        run_turn: RunTurn,
        *,
        redact: bool,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._set_aside = set_aside
        self._queue = queue
        self._run_turn = run_turn
        self._redact = redact
        self._clock = clock

    @moment("queued.attempt")
    async def run(self, stored: StoredActivity, *, is_set_aside: bool = False) -> bool:
        """Run the turn of an activity; if it fails, set the activity aside or dead-letter it.

        Args:
            stored: the activity, which waits.
            is_set_aside: it has a blob of its own. The attempt is counted before it starts, so that
                it is known if the process dies; that of a record is known by the lease.

        Returns:
            Whether the turn has run to its end.

        Raises:
            Unavailable: it cannot run now, which is no attempt.
        """
        try:
            accepted = stored.parse()
        except UnreadableActivity as error:
            await self.dead_letter(stored, str(error))
            return False
        except UnknownFormat as error:
            if self.age(stored) < MAX_OUTAGE_SECONDS:
                raise
            await self.dead_letter(stored, str(error))
            return False
        if stored.attempts > MAX_ATTEMPTS:
            await self.dead_letter(stored, ALWAYS_DIED)
            return False
        attempt = _attempt_after(stored.attempts)
        if is_set_aside:
            await self._set_aside.count(stored, RUNNING)
        has_ended = False
        try:
            await self._run_turn(accepted, attempt)
            has_ended = True
        except TurnRepeated:
            log.info("The activity %s has been processed already", stored.name)
        except Unavailable as error:
            if self.age(stored) >= MAX_OUTAGE_SECONDS:
                await self._dead_letter_error(stored, accepted, error)
                return False
            if is_set_aside:
                await self._set_aside.write(stored)
            raise
        except Exception as error:  # noqa: BLE001  # whatever the bot's code raises
            if attempt is Attempt.NOT_LAST:
                await self._try_again(stored, is_set_aside=is_set_aside)
            else:
                await self._dead_letter_error(stored, accepted, error)
            return False
        if is_set_aside:
            await self._set_aside.delete(stored.name)
        return has_ended

    async def _try_again(self, stored: StoredActivity, *, is_set_aside: bool) -> None:
        if not is_set_aside and (found := await self._set_aside.find(stored.name)):
            # A process died at the next step: the activity is set aside already.
            attempts = max(found.attempts, stored.attempts)
            cut_offs = max(found.cut_offs, stored.cut_offs)
            stored = replace(found, attempts=attempts, cut_offs=cut_offs)
        # The blob before the message: who reads the message must find it.
        await self._set_aside.count(stored, WAITING)
        await self._queue.put(WakeUp(stored.name).text, RETRY_PAUSE_SECONDS)

    async def _dead_letter_error(
        self, stored: StoredActivity, accepted: AcceptedActivity, error: Exception
    ) -> None:
        # The turn has logged the traceback; this line is what an alert finds.
        log.error("The activity %s is dead-lettered: %s", stored.name, type(error).__name__)
        trace = redacted_traceback(error, accepted.activity, redact=self._redact)
        await self._set_aside.dead_letter(stored, trace)

    async def count_cut_off(self, name: str) -> None:
        """Count that a process died in the turn of a set-aside activity, which is marked so."""
        if stored := await self._set_aside.find(name):
            await self._set_aside.write(stored.after_cut_off())

    async def dead_letter(self, stored: StoredActivity, reason: str) -> None:
        """Dead-letter an activity that gets no turn."""
        log.error("The activity %s is dead-lettered: %s", stored.name, reason)
        await self._set_aside.dead_letter(stored, reason)

    def age(self, stored: StoredActivity) -> float:
        """Seconds since an activity was accepted."""
        return (self._clock() - stored.accepted_at) / 1e9


def _attempt_after(earlier: int) -> Attempt:
    """The attempt that follows a number of earlier ones."""
    if earlier >= MAX_ATTEMPTS:
        return Attempt.WITHOUT_BOT
    return Attempt.LAST if earlier + 1 >= MAX_ATTEMPTS else Attempt.NOT_LAST


MIN_CUT_OFFS = 2
"""A turn that was cut off so often is isolated."""

WAITING_SECONDS = 3 * RETRY_PAUSE_SECONDS
"""The time for which a waiting turn counts: after it, another process has probably run it."""


def is_isolated(cut_offs: int) -> bool:
    """Whether a turn that was cut off so often must run alone."""
    return cut_offs >= MIN_CUT_OFFS


class Isolation:
    """The isolated turns of this process."""

    def __init__(self) -> None:
        self._is_taken = False
        # By name: how often the turn was cut off, and until when it counts (event loop time).
        self._waiting: dict[str, tuple[int, float]] = {}

    @contextmanager
    def slot(self, name: str, cut_offs: int) -> Iterator[bool]:
        """Yield whether a turn may run in the block; an isolated one may if no other one runs.

        Of the turns that wait, those that were cut off less often go first.

        Args:
            name: identifies the turn.
            cut_offs: how often it was cut off.
        """
        if not is_isolated(cut_offs):
            yield True
            return
        now = asyncio.get_running_loop().time()
        self._waiting.pop(name, None)
        self._waiting = {key: each for key, each in self._waiting.items() if each[1] > now}
        if self._is_taken or any(others < cut_offs for others, _ in self._waiting.values()):
            self._waiting[name] = (cut_offs, now + WAITING_SECONDS)
            yield False
            return
        self._is_taken = True
        try:
            yield True
        finally:
            self._is_taken = False


MAX_AGE_WITHOUT_STATE_SECONDS = 3600.0
"""If a conversation has no state, older records of its inbox are dead-lettered."""

NO_STATE = (
    "the conversation has no state, so it is not known whether this old activity was processed"
)


class Drain:
    """Runs turns until the inbox is processed. The caller locks the conversation for `run`.

    If the lease of the conversation's state was not released, the process died in a turn: that of a
    set-aside activity that is marked as running, or else of the first record that is not processed.

    Args:
        conversation: its name.
        message: the wake-up message that started it.
        inbox: the inboxes.
        blobs: the container of set-aside activities.
        attempts: runs the turns.
        locks: say whether the conversation is still locked.
        max_seconds: it starts no turn after this time, because the host ends long invocations.
    """

    def __init__(
        self,
        conversation: str,
        message: HeldMessage,
        inbox: Inbox,
        blobs: BlobContainer,
        attempts: Attempts,
        locks: ConversationLocks,
        max_seconds: float,
    ) -> None:
        self.message = message
        self._conversation = conversation
        self._inbox = inbox
        self._blobs = blobs
        self._attempts = attempts
        self._locks = locks
        self._max_seconds = max_seconds
        self._must_read = self._was_cut_off = self._is_alone = False
        # Ids: of what the next read should find, of what reads should have found by now, and of
        # what has been processed or set aside.
        self._expected: set[str] = set()
        self._awaited: set[str] = set()
        self._known: set[str] = set()
        self._state: Blob | None = None
        self._position: InboxPosition | None = None
        self._records: Records | None = None
        self._is_stored = True
        self._has_no_state = False

    def add(self, wake_up: WakeUp) -> None:
        """Join a wake-up message, whose invocation may end then.

        The drain's own message is in the queue until the drain ends, and comes back if it fails. A
        drain whose message is lost can join no other.
        """
        self._must_read |= not wake_up.activities
        self._expected.update(wake_up.activities)

    def is_done(self, state: Blob | None) -> bool:
        """Whether all that is expected is in a state, because another drain was quicker."""
        self._use_state(state)
        return not self._has_work

    @property
    def cut_offs(self) -> int:
        """The number of cut-offs of the turn that is the first to run, as far as the state says."""
        stored = self._position.cut_offs if self._position else 0
        return stored + (self._state is not None and self._state.was_abandoned)

    async def read(self) -> None:
        """Read the inbox, from the position in the state on."""
        # Before: what is added from here on may be appended too late to be read.
        self._awaited |= self._expected
        self._expected, self._must_read = set(), False
        self._records = await self._inbox.read(self._conversation, self._position)

    def _use_state(self, state: Blob | None) -> None:
        stored = LoadedState(state)
        self._state, self._known = state, set(stored.turn_ids)
        if stored.position != self._position:
            self._must_read |= self._records is not None
            self._position, self._records = stored.position, None

    @property
    def _has_work(self) -> bool:
        return self._must_read or not self._expected <= self._known

    async def run(self, held: HeldLock, *, alone: bool) -> float | None:
        """Run the turns of all activities that wait, and of those that arrive in the meantime.

        Args:
            held: the conversation's lock.
            alone: run one isolated turn, and nothing else; without it, none is run.

        Returns:
            Seconds until another wake-up message is needed; None: none is.

        Raises:
            Unavailable: a turn cannot run now.
        """
        if held.blob is not self._state:
            self._use_state(held.blob)
        self._has_no_state = self._position is None
        self._is_alone = alone
        self._was_cut_off = held.blob is not None and held.blob.was_abandoned
        if self._was_cut_off:
            await self._look_at_set_aside()
        now = asyncio.get_running_loop().time
        end = now() + self._max_seconds

        def goes_on() -> bool:
            return now() < end and not self._locks.lease_lost(self._conversation)

        while self._records is not None or self._has_work:
            if self._records is None:
                await self.read()
                continue
            pause = await self._process_records(self._records, held, goes_on)
            if pause is not None:
                return pause
        # The others are being appended.
        return None if self._awaited <= self._known else PAUSE_SECONDS

    async def _look_at_set_aside(self) -> None:
        """After a process has died, look at what it had set aside.

        - An activity is deleted that has been processed as a record of the inbox: the process died
          before it had written the position.
        - If an activity's turn was running, this was the turn that was cut off.
        """
        prefix = f"{self._conversation}/"
        async for entry in self._blobs.list(prefix):
            state = entry.metadata.get("state")
            if state == WAITING and entry.name.removeprefix(prefix) in self._known:
                await self._blobs.delete(entry.name)
            elif state == RUNNING:
                await self._attempts.count_cut_off(entry.name)
                self._was_cut_off = False

    async def _process_records(
        self, records: Records, held: HeldLock, goes_on: Callable[[], bool]
    ) -> float | None:
        """Process records that were read.

        Returns:
            Seconds until another wake-up message is needed: the time is over, the lease is lost, or
            a turn that was cut off must wait. None: all are processed.
        """
        self._records = None
        for content, before, behind in records:
            if not goes_on():
                return PAUSE_SECONDS
            stored = StoredActivity.of_record(self._conversation, content)
            if stored.id in self._known:
                self._is_stored = False
            elif (pause := await self._process(held, stored, before, behind)) is not None:
                return pause
            self._position = behind
        if not records.are_last:
            self._must_read = True
            return None
        if not self._is_stored and self._position:
            await held.write_position(self._position)
            self._is_stored = True
        await self._inbox.truncate(self._conversation, records)
        return None

    async def _process(
        self, held: HeldLock, stored: StoredActivity, before: InboxPosition, behind: InboxPosition
    ) -> float | None:
        """Run the turn of a record, and store the position behind it.

        Returns:
            Seconds until another wake-up message is needed; None: the next record can follow.
        """
        was_cut_off, self._was_cut_off = self._was_cut_off, False
        is_first = self._position is not None and self._position.next == before.next
        cut_offs = self._position.cut_offs if self._position and is_first else 0
        if was_cut_off:
            cut_offs += 1
            await held.write_position(before._replace(cut_offs=cut_offs))
        stored = replace(stored, attempts=cut_offs, cut_offs=cut_offs)
        isolated = is_isolated(cut_offs)
        if isolated and (was_cut_off or not self._is_alone):
            # Once more into the queue, so that the turns that were cut off beside it can end first.
            return RETRY_PAUSE_SECONDS
        if self._is_alone and not isolated:  # another process has run the turn meanwhile
            return PAUSE_SECONDS
        self._is_stored = False
        self._known.add(stored.id)
        held.position = behind
        has_ended = await self._run(stored)
        # A turn that runs to its end stores the position with its own changes.
        if not has_ended or held.position is not None:
            held.position = None
            await held.write_position(behind)
        self._is_stored = True
        return PAUSE_SECONDS if isolated else None

    async def _run(self, stored: StoredActivity) -> bool:
        is_old = stored.accepted_at and self._attempts.age(stored) > MAX_AGE_WITHOUT_STATE_SECONDS
        if self._has_no_state and is_old:
            await self._attempts.dead_letter(stored, NO_STATE)
            return False
        return await self._attempts.run(stored)
