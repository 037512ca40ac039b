"""MovedTime: the wall clock and the event loop's, moved together."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from bot_testing.clocks.loop_clock import LoopClock

log = logging.getLogger(__name__)

SETTLING_PART = 0.1
"""The part of a turn's (real) seconds that the bot may work between two timers, before time is
moved regardless."""

STUCK_SECONDS = 0.05
"""The same, once the bot has taken longer: it is waiting for something other than a timer."""

RATE_LIMITED = frozenset({"cloud_adapter.reply", "cloud_adapter.message_stream"})
"""The modules whose sleeps never are of interest to a test: the rate limit of streamed answers."""

IDLE = frozenset({"cloud_adapter.reply", "cloud_adapter.storage.queue"})
"""The modules with time limits that are sleeps: a streamed answer waits for more text, and a queued
message is hidden again until its turn ends."""

ROUND_SECONDS = 0.001
ROUNDS_TO_WAKE_UP = 3
"""After this many iterations of the loop, a task whose timer has fired is running again."""

MAX_STEPS = 1000
"""The number of timers that one move fires one by one. After that, the remaining time passes in one
step."""


class MovedTime:
    """Moves `datetime.now`, `time.time` and the event loop's timers; not `time.monotonic`.

    Args:
        monkeypatch: restores the loop's own clock.
        working: takes the tasks that sleep, and those that wait with a time limit; returns whether
            the bot does anything but sleep.
        answered: returns whether a service outside the app is answering the bot.
        turn_seconds: how long a turn may take in real time.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        working: Callable[[set["asyncio.Task[Any]"], set["asyncio.Task[Any]"]], bool],
        answered: Callable[[], bool],
        turn_seconds: float,
    ) -> None:
        self._loop_clock = LoopClock(monkeypatch)
        self._working = working
        self._answered = answered
        self._turn_seconds = turn_seconds
        self._settling_seconds = SETTLING_PART * turn_seconds
        self._is_stuck = False
        self._moves = 0
        self._wall = time_machine.travel(0.0, tick=True)
        self._moved_wall: time_machine.Traveller | None = None

    def seconds(self) -> float:
        """The event loop's time, in seconds."""
        return self._loop_clock.time()

    async def move(self, seconds: float) -> None:
        """Move time forward. Timers fire in order; the bot acts on each before the next fires."""
        end = self._loop_clock.time() + seconds
        self._moves += 1
        try:
            await self._settle()
            for _ in range(MAX_STEPS):
                if not await self._step(end - self._loop_clock.time()):
                    break
            self._shift(max(0.0, end - self._loop_clock.time()))
            await self._settle()
        finally:
            self._moves -= 1

    async def skip_waits(self, work: "asyncio.Future[Any]", end: float, *, own_waits: bool) -> None:
        """Move time forward whenever the bot only sleeps, until `work` is done.

        While the test itself moves time, this does not.

        Args:
            work: what the bot is doing.
            end: when to give up, in seconds of `time.monotonic`.
            own_waits: skip the sleeps of the bot's code, too; else those of RATE_LIMITED.
        """
        while not work.done() and time.monotonic() < end:
            if own_waits:
                await self._settle(work)
                is_waiting = bool(self._loop_clock.sleeping() or self._is_limited())
            else:
                pause = self._loop_clock.pause(ROUND_SECONDS)
                await asyncio.wait({work, pause}, return_when=asyncio.FIRST_COMPLETED)
                limited = self._loop_clock.resting(RATE_LIMITED)
                is_waiting = bool(limited) and not self._is_working(limited)
            if is_waiting and not work.done() and not self._moves:
                await self._step(math.inf, work)

    async def _step(self, limit: float, work: "asyncio.Future[Any] | None" = None) -> bool:
        """Move to the next timer; False if there is none within `limit` seconds.

        Args:
            limit: see above.
            work: as for `_settle`.
        """
        pause = self._loop_clock.until_next_timer()
        if pause is None or pause > limit:
            return False
        self._shift(pause)
        await self._settle(work)
        return True

    def _shift(self, seconds: float) -> None:
        if self._moved_wall is None:
            self._wall = time_machine.travel(time.time(), tick=True)
            self._moved_wall = self._wall.start()
        self._moved_wall.shift(seconds)
        self._loop_clock.move(seconds)

    async def _settle(self, work: "asyncio.Future[Any] | None" = None) -> None:
        """Wait until all turns have ended or sleep, or `work` is done."""
        timeout = STUCK_SECONDS if self._is_stuck else self._settling_seconds
        end, last = time.monotonic() + timeout, time.monotonic() + self._turn_seconds
        clock = self._loop_clock
        while True:
            await clock.pause(ROUND_SECONDS)
            fired = clock.fired
            for _ in range(ROUNDS_TO_WAKE_UP):
                await asyncio.sleep(0)
            is_quiet = fired == clock.fired and not self._is_working(clock.resting())
            if is_quiet or (work is not None and work.done()):
                self._is_stuck = False
                return
            if self._answered():
                end = min(time.monotonic() + timeout, last)
            if time.monotonic() > end:
                if not self._is_stuck:
                    log.warning("Time moves on, but the bot waits for something else")
                self._is_stuck = True
                return

    def _is_working(self, resting: set["asyncio.Task[Any]"]) -> bool:
        return self._working(resting, self._hurried())

    def _hurried(self) -> set["asyncio.Task[Any]"]:
        clock = self._loop_clock
        return clock.hurried() - clock.hurried(IDLE) - {asyncio.current_task()}

    def _is_limited(self) -> bool:
        """Whether nothing but time ends what the bot waits for."""
        return not self._is_stuck and bool(self._hurried())

    def stop(self) -> None:
        """Restore the wall clock."""
        if self._moved_wall is not None:
            self._wall.stop()
            self._moved_wall = None
