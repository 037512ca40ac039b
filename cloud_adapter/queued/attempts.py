"""Attempts: runs the turns of stored activities, and deals with those that fail."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum, auto

from auth.errors import Unavailable
from cloud_adapter.errors import TurnRepeated, UnreadableActivity
from cloud_adapter.queued.set_aside import SetAsideActivities
from cloud_adapter.queued.stored_activity import (
    RUNNING,
    WAITING,
    AcceptedActivity,
    StoredActivity,
)
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.redacted_traceback import redacted_traceback
from cloud_adapter.storage.queue import MessageQueue

MAX_ATTEMPTS = 5
"""Attempts at a turn."""

RETRY_PAUSE_SECONDS = 5.0
"""The pause between two attempts at a turn."""

MAX_OUTAGE_SECONDS = 3600.0
"""An activity whose turn was unavailable for this time is dead-lettered."""

ALWAYS_DIED = "the process died in every attempt, also in one without the bot's on_turn"

log = logging.getLogger(__name__)


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
