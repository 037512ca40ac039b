"""Drain: runs the turns of the activities in a conversation's inbox, one after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from cloud_adapter.queued.attempts import RETRY_PAUSE_SECONDS, Attempts
from cloud_adapter.queued.inbox import Inbox, Records
from cloud_adapter.queued.isolation import is_isolated
from cloud_adapter.queued.stored_activity import RUNNING, WAITING, StoredActivity
from cloud_adapter.queued.wake_up import PAUSE_SECONDS, WakeUp
from cloud_adapter.state.loaded_state import InboxPosition, LoadedState
from cloud_adapter.state.lock import ConversationLocks, Locked
from cloud_adapter.storage.blobs import Blob, BlobContainer
from cloud_adapter.storage.held_message import HeldMessage

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
        """How often the turn was cut off that is the first to run, as far as the state says."""
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

    async def run(self, locked: Locked, *, alone: bool) -> float | None:
        """Run the turns of all activities that wait, and of those that arrive in the meantime.

        Args:
            locked: the conversation's lock.
            alone: run one isolated turn, and nothing else; without it, none is run.

        Returns:
            Seconds until another wake-up message is needed; None: none is.

        Raises:
            Unavailable: a turn cannot run now.
        """
        if locked.blob is not self._state:
            self._use_state(locked.blob)
        self._has_no_state = self._position is None
        self._is_alone = alone
        self._was_cut_off = locked.blob is not None and locked.blob.was_abandoned
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
            pause = await self._process_records(self._records, locked, goes_on)
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
        self, records: Records, locked: Locked, goes_on: Callable[[], bool]
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
            elif (pause := await self._process(locked, stored, before, behind)) is not None:
                return pause
            self._position = behind
        if not records.are_last:
            self._must_read = True
            return None
        if not self._is_stored and self._position:
            await locked.write_position(self._position)
            self._is_stored = True
        await self._inbox.truncate(self._conversation, records)
        return None

    async def _process(
        self, locked: Locked, stored: StoredActivity, before: InboxPosition, behind: InboxPosition
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
            await locked.write_position(before._replace(cut_offs=cut_offs))
        stored = replace(stored, attempts=cut_offs, cut_offs=cut_offs)
        isolated = is_isolated(cut_offs)
        if isolated and (was_cut_off or not self._is_alone):
            # Once more into the queue, so that the turns that were cut off beside it can end first.
            return RETRY_PAUSE_SECONDS
        if self._is_alone and not isolated:  # another process has run the turn meanwhile
            return PAUSE_SECONDS
        self._is_stored = False
        self._known.add(stored.id)
        locked.position = behind
        has_ended = await self._run(stored)
        # A turn that runs to its end stores the position with its own changes.
        if not has_ended or locked.position is not None:
            locked.position = None
            await locked.write_position(behind)
        self._is_stored = True
        return PAUSE_SECONDS if isolated else None

    async def _run(self, stored: StoredActivity) -> bool:
        is_old = stored.accepted_at and self._attempts.age(stored) > MAX_AGE_WITHOUT_STATE_SECONDS
        if self._has_no_state and is_old:
            await self._attempts.dead_letter(stored, NO_STATE)
            return False
        return await self._attempts.run(stored)
