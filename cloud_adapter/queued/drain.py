"""Drain: runs the turns of the activities in a conversation's inbox, one after the other."""

import asyncio
import contextlib
from collections.abc import Callable

from cloud_adapter.errors import UnreadableActivity
from cloud_adapter.queued.attempts import Attempts
from cloud_adapter.queued.earlier_inbox import drain_earlier, earlier_name
from cloud_adapter.queued.inbox import Inbox, Records
from cloud_adapter.queued.stored_activity import WAITING, StoredActivity
from cloud_adapter.queued.wake_up import PAUSE_SECONDS, WakeUp
from cloud_adapter.state.loaded_state import InboxPosition, LoadedState
from cloud_adapter.state.lock import ConversationLocks, Locked
from cloud_adapter.storage.blobs import Blob, BlobContainer

MAX_DRAIN_SECONDS = 60.0
"""A drain starts no turn after this time, because the host ends long invocations."""

MAX_AGE_WITHOUT_STATE_SECONDS = 3600.0
"""If a conversation has no state, older records of its inbox are dead-lettered."""

NO_STATE = (
    "the conversation has no state, so it is not known whether this old activity was processed"
)


def until_late(locks: ConversationLocks, conversation: str) -> Callable[[], bool]:
    """Says from now on whether another turn of a locked conversation may start."""
    now = asyncio.get_running_loop().time
    end = now() + MAX_DRAIN_SECONDS
    return lambda: now() < end and not locks.lease_lost(conversation)


class Drain:
    """Runs turns until the inbox is processed. The caller locks the conversation for `run`.

    Args:
        conversation: its name.
        inbox: the inboxes.
        blobs: the container of set-aside activities, and of what an earlier version stored.
        attempts: runs the turns.
        locks: say whether the conversation is still locked.
    """

    def __init__(
        self,
        conversation: str,
        inbox: Inbox,
        blobs: BlobContainer,
        attempts: Attempts,
        locks: ConversationLocks,
    ) -> None:
        self._conversation = conversation
        self._inbox = inbox
        self._blobs = blobs
        self._attempts = attempts
        self._locks = locks
        self._must_read = self._counts_first = False
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
        """Take over a wake-up message, whose invocation may end then.

        The drain's own message is in the queue until the drain ends, and comes back if it fails.
        """
        self._must_read |= not wake_up.activities
        self._expected.update(wake_up.activities)
        self._counts_first |= wake_up.redeliveries > 0

    def is_done(self, state: Blob | None) -> bool:
        """Whether all that is expected is in a state, because another drain was quicker."""
        self._use_state(state)
        return not self._has_work

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

    async def run(self, locked: Locked) -> float | None:
        """Run the turns of all activities that wait, and of those that arrive in the meantime.

        Returns:
            Seconds until another wake-up message is needed; None: none is.

        Raises:
            Unavailable: a turn cannot run now.
        """
        if locked.blob is not self._state:
            self._use_state(locked.blob)
        self._has_no_state = self._position is None
        if self._counts_first:
            await self._delete_processed()
        goes_on = until_late(self._locks, self._conversation)
        while self._records is not None or self._has_work:
            if self._records is None:
                await self.read()
            elif not await self._process_records(self._records, locked, goes_on):
                return PAUSE_SECONDS
        # The others are being appended.
        return None if self._awaited <= self._known else PAUSE_SECONDS

    async def _delete_processed(self) -> None:
        """Delete set-aside activities that a drain has processed which did not know of them."""
        prefix = f"{self._conversation}/"
        async for entry in self._blobs.list(prefix):
            is_known = entry.name.removeprefix(prefix) in self._known
            if is_known and entry.metadata.get("state") == WAITING:
                await self._blobs.delete(entry.name)

    async def _process_records(
        self, records: Records, locked: Locked, goes_on: Callable[[], bool]
    ) -> bool:
        """Process records that were read; False: the time is over, or the lease is lost."""
        self._records = None
        for content, position in records:
            stored = StoredActivity.of_record(self._conversation, content)
            if self._position is None and not await self._run_earlier(stored, goes_on):
                return False
            if not goes_on():
                return False
            await self._process(locked, stored, position)
            self._position = position
        if not records.are_last:
            self._must_read = True
            return True
        if not self._is_stored and self._position:
            await locked.write_position(self._position)
            self._is_stored = True
        await self._inbox.truncate(self._conversation, records)
        return True

    async def _run_earlier(self, first: StoredActivity, goes_on: Callable[[], bool]) -> bool:
        """Before a conversation's first record, process what an earlier version stored."""
        with contextlib.suppress(UnreadableActivity):
            name = earlier_name(first.parse().activity)
            return await drain_earlier(self._blobs, name, self._attempts, goes_on)
        return True

    async def _process(
        self, locked: Locked, stored: StoredActivity, position: InboxPosition
    ) -> None:
        """Run the turn of a record, unless its activity is known, and store the position."""
        self._is_stored = False
        if stored.id in self._known:
            return
        self._known.add(stored.id)
        locked.position = position
        has_ended = await self._run(stored)
        # A turn that runs to its end stores the position with its own changes.
        if not has_ended or locked.position is not None:
            locked.position = None
            await locked.write_position(position)
        self._is_stored = True

    async def _run(self, stored: StoredActivity) -> bool:
        is_old = stored.accepted_at and self._attempts.age(stored) > MAX_AGE_WITHOUT_STATE_SECONDS
        if self._has_no_state and is_old:
            await self._attempts.dead_letter(stored, NO_STATE)
            return False
        if not self._counts_first:
            return await self._attempts.run(stored)
        # Only the first record: the turns behind it had not started when the process ended.
        self._counts_first = False
        return await self._attempts.run_set_aside(stored.name, stored)
