"""Drain: the turns of the activities that wait in one conversation, one after the other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from auth.errors import Unavailable
from cloud_adapter.errors import TurnFailed, TurnRepeated, UnreadableActivity
from cloud_adapter.queued.inbox import Inbox
from cloud_adapter.queued.stored_activity import WAITING, AcceptedActivity, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.redacted_traceback import redacted_traceback
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.queue import MessageQueue

MAX_ATTEMPTS = 5
"""Attempts at a turn. host.json has the same number, for turns that end the process."""

MAX_DRAIN_SECONDS = 60.0
"""A drain starts no turn after this time, because the host ends long invocations."""

MAX_OUTAGE_SECONDS = 3600.0
"""An activity whose turn was unavailable for this time is dead-lettered."""

log = logging.getLogger(__name__)


class Attempt(Enum):
    """Which attempt at a turn it is."""

    NOT_LAST = auto()
    """If it fails, another one follows."""
    LAST = auto()
    """If it fails, the activity is dead-lettered."""
    WITHOUT_BOT = auto()
    """Every attempt ended the process: the turn fails without running the bot's code."""


RunTurn = Callable[[AcceptedActivity, Attempt], Awaitable[None]]
"""Runs a turn for an accepted activity. It raises TurnRepeated, Unavailable, or whatever the bot's
code raised."""


class Drain:
    """Runs the turns of a conversation for one wake-up message. The caller has locked it.

    Args:
        inbox: the stored activities.
        poison_queue: gets the wake-up messages of dead-lettered activities.
        locks: say whether the conversation is still locked.
        target: the activity that the wake-up message names.
        run_turn: runs one turn.
        counts_first: the wake-up message was delivered before, and a turn may have ended that
            process: each attempt is counted before it starts.
        redact: hide what users sent from stored tracebacks; False on a developer's machine.
    """

    def __init__(
        self,
        inbox: Inbox,
        poison_queue: MessageQueue,
        locks: ConversationLocks,
        target: StoredActivity,
        run_turn: RunTurn,
        *,
        counts_first: bool,
        redact: bool,
    ) -> None:
        self._inbox = inbox
        self._poison_queue = poison_queue
        self._locks = locks
        self._target = target
        self._run_turn = run_turn
        self._counts_first = counts_first
        self._redact = redact
        self._results: dict[str, asyncio.Future[bool]] = {}
        self._end = asyncio.get_running_loop().time() + MAX_DRAIN_SECONDS

    async def settles(self, name: str) -> bool:
        """Wait until this drain has dealt with an activity.

        Returns:
            Whether the activity needs no wake-up message any more.
        """
        result = self._results.setdefault(name, asyncio.get_running_loop().create_future())
        return await asyncio.shield(result)

    async def run(self) -> bool:
        """Run the turns of all activities that wait, and of those that arrive in the meantime.

        Returns:
            Whether the target needs no wake-up message any more.

        Raises:
            TurnFailed: the target's turn must be tried again.
            Unavailable: a turn cannot run now.
        """
        try:
            return await self._run_waiting()
        finally:
            for result in self._results.values():
                if not result.done():
                    result.set_result(False)

    async def _run_waiting(self) -> bool:
        conversation = self._target.conversation
        waiting = await self._inbox.waiting(conversation)
        # The target has no marker if it failed before, or if its message was faster.
        waiting.setdefault(self._target.name, self._target.marker)
        while waiting:
            for name, marker in waiting.items():
                is_late = asyncio.get_running_loop().time() >= self._end
                if is_late or self._locks.lease_lost(conversation):
                    return False
                settled = await self._process(name, marker)
                if result := self._results.pop(name, None):
                    result.set_result(settled)
            waiting = await self._inbox.waiting(conversation)
        return True

    async def _process(self, name: str, marker: str) -> bool:
        """Run an activity's turn if it is due; False: its own wake-up message will."""
        stored = await self._inbox.read(name)
        if stored is None or stored.state != WAITING:
            await self._inbox.unmark(marker)
            return True
        if stored.attempts and name != self._target.name:
            await self._inbox.unmark(marker)  # the host delivers its wake-up message again
            return False
        if not stored.content:
            await self._inbox.finish(stored)
            return True
        return await self._try(stored)

    async def _try(self, stored: StoredActivity) -> bool:
        try:
            accepted = stored.parse()
        except UnreadableActivity as error:
            log.error("The activity %s is dead-lettered: %s", stored.name, error)  # noqa: TRY400  # its traceback says nothing more
            await self._dead_letter(stored, str(error))
            return True
        attempt = _attempt_after(stored.attempts)
        if self._counts_first and attempt is not Attempt.WITHOUT_BOT:
            await self._inbox.set_attempts(stored, stored.attempts + 1)
        try:
            await self._run_turn(accepted, attempt)
        except TurnRepeated:
            log.info("The activity %s has been processed already", stored.name)
        except Unavailable as error:
            await self._handle_outage(stored, accepted, error)
            return True
        except Exception as error:  # noqa: BLE001  # whatever the bot's code raises
            return await self._handle_failure(stored, accepted, error, attempt)
        await self._inbox.finish(stored)
        await self._inbox.clean_up(stored)
        return True

    async def _handle_outage(
        self, stored: StoredActivity, accepted: AcceptedActivity, error: Unavailable
    ) -> None:
        if self._inbox.age(stored) >= MAX_OUTAGE_SECONDS:
            await self._dead_letter(stored, self._traceback(accepted, error))
            return
        if self._counts_first:  # it was not an attempt
            await self._inbox.set_attempts(stored, stored.attempts)
        raise error

    async def _handle_failure(
        self,
        stored: StoredActivity,
        accepted: AcceptedActivity,
        error: Exception,
        attempt: Attempt,
    ) -> bool:
        if attempt is not Attempt.NOT_LAST:
            await self._dead_letter(stored, self._traceback(accepted, error))
            return True
        await self._inbox.set_attempts(stored, stored.attempts + 1)
        await self._inbox.unmark(stored.marker)
        if stored.name == self._target.name:
            # From None: the host logs the error, whose text may quote the user.
            raise TurnFailed("the turn failed, and will be tried again") from None
        return False

    def _traceback(self, accepted: AcceptedActivity, error: Exception) -> str:
        return redacted_traceback(error, accepted.activity, redact=self._redact)

    async def _dead_letter(self, stored: StoredActivity, failure: str) -> None:
        # In this order: a process that dies in between must not lose the activity.
        await self._poison_queue.put(WakeUp(stored.name).text)
        await self._inbox.dead_letter(stored, failure)


def _attempt_after(earlier: int) -> Attempt:
    """The attempt that follows a number of earlier ones."""
    if earlier >= MAX_ATTEMPTS:
        return Attempt.WITHOUT_BOT
    return Attempt.LAST if earlier + 1 >= MAX_ATTEMPTS else Attempt.NOT_LAST
