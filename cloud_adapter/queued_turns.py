"""QueuedTurns: the channel is answered at once, and turns run behind a queue.

What holds, as long as the storage account loses nothing:

- An activity that was answered 202 gets its turn, whatever process dies: each waits in a blob, and
  a message in the queue rings for it until its turn is made.
- An activity that is delivered again within an hour gets no second turn.
- Turns of one conversation run one at a time, in the order in which their activities were accepted.
  An activity whose turn failed is tried again later, and does not hold up the ones behind it.
- A turn that was cut off is run again from its beginning. Its state is made once, its replies may
  be sent twice.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from auth.errors import ConversationBusy, TurnRepeated, Unavailable
from cloud_adapter.conversation_lock import ConversationLocks
from cloud_adapter.message_queue import MessageQueue
from cloud_adapter.ring import Ring
from cloud_adapter.turn_failure import failure_story
from cloud_adapter.waiting_activity import (
    WAITING,
    Delivery,
    UnreadableActivity,
    WaitingActivities,
    WaitingActivity,
)

QUEUE = "bot-turns"
POISON_QUEUE = f"{QUEUE}-poison"

MOST_TRIES = 5
"""Turns for one activity. host.json has the same number, for those that kill the process."""

LONGEST_RUN = 60.0
"""Seconds after which an invocation begins no further turn: the host ends it at some time."""

LONGEST_OUTAGE = 3600.0
"""Seconds after which an activity is given up whose turn cannot be begun."""

log = logging.getLogger(__name__)


class TurnFailed(Exception):
    """The bot's code raised, and the turn is to be tried again. The log has the story."""


class Runner(Protocol):
    """Runs a turn."""

    async def __call__(self, delivery: Delivery, *, last: bool) -> None:
        """Run a turn for what was delivered.

        Args:
            delivery: an activity and its caller.
            last: there will be no further try: if it fails, the user is told.

        Raises:
            TurnRepeated: it was made before.
            Unavailable: it cannot be made now.
            Exception: the bot's code raised.
        """


class QueuedTurns:
    """Accepts activities, and runs their turns when the queue rings.

    Args:
        activities: those that wait.
        queue: rings.
        poison: gets the rings of activities that were given up.
        locks: let one turn of a conversation run at a time.
    """

    def __init__(
        self,
        activities: WaitingActivities,
        queue: MessageQueue,
        poison: MessageQueue,
        locks: ConversationLocks,
    ) -> None:
        self._activities = activities
        self._queue = queue
        self._poison = poison
        self._locks = locks

    async def accept(self, activity: Any, body: bytes, claims: Mapping[str, Any]) -> None:
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
            ring = self._queue.put(Ring(waiting.name).text)
            await asyncio.gather(self._activities.line_up(waiting), ring)

    async def answer(self, message: str, dequeue_count: int, run: Runner) -> None:
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
        ring = Ring.parse(message)
        own = await self._activities.find(ring.activity)
        if own is None or own.state != WAITING:
            return  # run with those before it, mostly
        try:
            async with self._locks.hold(ring.conversation, patience=0):
                # Rung before: whatever was begun then may have taken the process with it.
                await self._run_all(ring, own, run, careful=dequeue_count > 1)
        except ConversationBusy:
            # Who has the conversation runs all that waits in it: mostly there is nothing to do
            # when the next ring comes.
            await self._ring_later(ring)
        except Unavailable as error:
            log.warning("A turn in %s must wait: %s", ring.conversation, error)
            await self._ring_later(ring)

    async def _ring_later(self, ring: Ring) -> None:
        later = ring.later
        await self._queue.put(later.text, later.pause)

    async def _run_all(
        self, ring: Ring, own: WaitingActivity, run: Runner, *, careful: bool
    ) -> None:
        now = asyncio.get_running_loop().time
        end = now() + LONGEST_RUN
        line = await self._activities.line(ring.conversation)
        line.setdefault(own.name, own.place)  # it has failed before, or rings before it has one
        while line:
            for name, place in line.items():
                if now() >= end or self._locks.lost(ring.conversation):
                    await self._ring_later(ring)
                    return
                await self._run(name, place, ring, run, careful=careful)
            line = await self._activities.line(ring.conversation)

    async def _run(self, name: str, place: str, ring: Ring, run: Runner, *, careful: bool) -> None:
        waiting = await self._activities.read(name)
        if waiting is None or waiting.state != WAITING:
            await self._activities.leave(place)
        elif waiting.tries and name != ring.activity:
            await self._activities.leave(place)  # it has failed, and has a ring of its own
        elif not waiting.content:
            await self._activities.finish(waiting)
        else:
            await self._turn(waiting, ring, run, careful=careful)

    async def _turn(
        self, waiting: WaitingActivity, ring: Ring, run: Runner, *, careful: bool
    ) -> None:
        try:
            delivery = waiting.delivery()
        except UnreadableActivity as error:
            log.error("A turn in %s is given up: %s", ring.conversation, error)  # noqa: TRY400
            await self._give_up(waiting, str(error))
            return
        if careful:
            await self._activities.note_tries(waiting, waiting.tries + 1)
        last = waiting.tries + 1 >= MOST_TRIES
        try:
            await run(delivery, last=last)
        except TurnRepeated:
            log.info("A turn in %s was made before", ring.conversation)
        except Unavailable as error:
            if waiting.age < LONGEST_OUTAGE:
                if careful:
                    await self._activities.note_tries(waiting, waiting.tries)
                raise
            await self._give_up(waiting, failure_story(error, delivery.activity))
            return
        except Exception as error:  # noqa: BLE001  # whatever the bot's code raises
            story = failure_story(error, delivery.activity)
            await self._failed(waiting, ring, story, last=last)
            return
        await self._activities.finish(waiting)
        await self._activities.sweep(waiting)

    async def _failed(
        self, waiting: WaitingActivity, ring: Ring, story: str, *, last: bool
    ) -> None:
        if last:
            await self._give_up(waiting, story)
            return
        await self._activities.note_tries(waiting, waiting.tries + 1)
        await self._activities.leave(waiting.place)
        if waiting.name == ring.activity:
            # From None: the host logs what it gets, and the error's text may quote the user.
            raise TurnFailed("the turn failed, and will be tried again") from None

    async def _give_up(self, waiting: WaitingActivity, story: str) -> None:
        # The other way round it could be lost between the two.
        await self._poison.put(Ring(waiting.name).text)
        await self._activities.give_up(waiting, story)
