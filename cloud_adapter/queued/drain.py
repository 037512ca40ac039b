"""Drain: the turns of what waits in one conversation, one after the other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from auth.errors import Unavailable
from cloud_adapter.errors import TurnFailed, TurnRepeated, UnreadableActivity
from cloud_adapter.queued.inbox import WAITING, AcceptedActivity, Inbox, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.redacted_traceback import redacted_traceback
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.queue import MessageQueue

MOST_TRIES = 5
"""Turns for one activity. host.json has the same number, for those that kill the process."""

LONGEST_RUN = 60.0
"""Seconds after which a run begins no further turn: the host ends it at some time."""

LONGEST_OUTAGE = 3600.0
"""Seconds after which an activity is given up whose turn cannot be begun."""

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
    """Runs the stored activities of a conversation for one wake-up message, under its lock.

    Args:
        activities: the stored activities.
        poison: gets the wake-up messages of dead-lettered activities.
        locks: tell whether the conversation is still locked.
        own: the activity that the wake-up message names.
        run: runs one turn.
        careful: the wake-up message was delivered before, and a turn may have ended that process:
            each attempt is counted before it starts.
        redact: hide what users sent from stored tracebacks; False on a developer's machine.
    """

    def __init__(
        self,
        activities: Inbox,
        poison: MessageQueue,
        locks: ConversationLocks,
        own: StoredActivity,
        run: RunTurn,
        *,
        careful: bool,
        redact: bool,
    ) -> None:
        self._activities = activities
        self._poison = poison
        self._locks = locks
        self._own = own
        self._run = run
        self._careful = careful
        self._redact = redact
        self._awaited: dict[str, asyncio.Future[bool]] = {}
        self._end = asyncio.get_running_loop().time() + LONGEST_RUN

    async def ended(self, name: str) -> bool:
        """Wait for an activity's turn in this run; False: it has not had one that ended well."""
        awaited = self._awaited.setdefault(name, asyncio.get_running_loop().create_future())
        return await asyncio.shield(awaited)

    async def go(self) -> bool:
        """Run all that waits, and what comes meanwhile; False: own's turn is left to another run.

        Raises:
            TurnFailed: own's turn is to be tried again.
            Unavailable: a turn cannot be made now.
        """
        try:
            return await self._all()
        finally:
            for awaited in self._awaited.values():
                if not awaited.done():
                    awaited.set_result(False)

    async def _all(self) -> bool:
        conversation = self._own.name.partition("/")[0]
        line = await self._activities.line(conversation)
        # It has failed before, or rings before it has a place.
        line.setdefault(self._own.name, self._own.place)
        while line:
            for name, place in line.items():
                late = asyncio.get_running_loop().time() >= self._end
                if late or self._locks.lease_lost(conversation):
                    return False
                well = await self._one(name, place)
                if awaited := self._awaited.pop(name, None):
                    awaited.set_result(well)
            line = await self._activities.line(conversation)
        return True

    async def _one(self, name: str, place: str) -> bool:
        """An activity's turn, if it is due; True: it needs none any more."""
        waiting = await self._activities.read(name)
        if waiting is None or waiting.state != WAITING:
            await self._activities.leave(place)
            return True
        if waiting.tries and name != self._own.name:
            await self._activities.leave(place)  # it has failed, and has a ring of its own
            return False
        if not waiting.content:
            await self._activities.finish(waiting)
            return True
        return await self._turn(waiting)

    async def _turn(self, waiting: StoredActivity) -> bool:
        try:
            delivery = waiting.delivery()
        except UnreadableActivity as error:
            log.error("A turn for %s is given up: %s", waiting.name, error)  # noqa: TRY400
            await self._give_up(waiting, str(error))
            return True
        attempt = _attempt(waiting.tries)
        if self._careful and attempt is not Attempt.WITHOUT_BOT:
            await self._activities.note_tries(waiting, waiting.tries + 1)
        try:
            await self._run(delivery, attempt)
        except TurnRepeated:
            log.info("The turn for %s was made before", waiting.name)
        except Unavailable as error:
            await self._unavailable(waiting, delivery, error)
            return True
        except Exception as error:  # noqa: BLE001  # whatever the bot's code raises
            return await self._failed(waiting, delivery, error, attempt)
        await self._activities.finish(waiting)
        await self._activities.sweep(waiting)
        return True

    async def _unavailable(
        self, waiting: StoredActivity, delivery: AcceptedActivity, error: Unavailable
    ) -> None:
        if waiting.age >= LONGEST_OUTAGE:
            await self._give_up(waiting, self._traceback(delivery, error))
            return
        if self._careful:  # it was no try
            await self._activities.note_tries(waiting, waiting.tries)
        raise error

    async def _failed(
        self,
        waiting: StoredActivity,
        delivery: AcceptedActivity,
        error: Exception,
        attempt: Attempt,
    ) -> bool:
        if attempt is not Attempt.NOT_LAST:
            await self._give_up(waiting, self._traceback(delivery, error))
            return True
        await self._activities.note_tries(waiting, waiting.tries + 1)
        await self._activities.leave(waiting.place)
        if waiting.name == self._own.name:
            # From None: the host logs what it gets, and the error's text may quote the user.
            raise TurnFailed("the turn failed, and will be tried again") from None
        return False

    def _traceback(self, delivery: AcceptedActivity, error: Exception) -> str:
        return redacted_traceback(error, delivery.activity, redact=self._redact)

    async def _give_up(self, waiting: StoredActivity, failure: str) -> None:
        # The other way round it could be lost between the two.
        await self._poison.put(WakeUp(waiting.name).text)
        await self._activities.give_up(waiting, failure)


def _attempt(earlier: int) -> Attempt:
    """The attempt that follows so many earlier ones."""
    if earlier >= MOST_TRIES:
        return Attempt.WITHOUT_BOT
    return Attempt.LAST if earlier + 1 >= MOST_TRIES else Attempt.NOT_LAST
