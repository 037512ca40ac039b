"""MovedTime: the wall clock and the event loop's, moved together."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from bot_testing.clocks.loop_clock import LoopClock

SETTLING_PART = 0.1
"""The part of a turn's (real) seconds that the bot may work between two timers, before time is
moved regardless."""

STUCK_SECONDS = 0.05
"""The same, once the bot has taken longer: it is waiting for something other than a timer."""

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
        working: takes the tasks that sleep; returns whether the bot does anything but sleep.
        turn_seconds: how long a turn may take in real time.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        working: Callable[[set["asyncio.Task[Any]"]], bool],
        turn_seconds: float,
    ) -> None:
        self._loop_clock = LoopClock(monkeypatch)
        self._working = working
        self._settling_seconds = SETTLING_PART * turn_seconds
        self._is_stuck = False
        self._wall = time_machine.travel(0.0, tick=True)
        self._moved_wall: time_machine.Traveller | None = None

    async def move(self, seconds: float) -> None:
        """Move time forward. Timers fire in order; the bot acts on each before the next fires."""
        end = self._loop_clock.time() + seconds
        await self._settle()
        for _ in range(MAX_STEPS):
            if not await self._step(end - self._loop_clock.time()):
                break
        self._shift(max(0.0, end - self._loop_clock.time()))
        await self._settle()

    async def skip_waits(self, work: "asyncio.Future[Any]", end: float) -> None:
        """Move time forward whenever the bot only sleeps, until `work` is done.

        Args:
            work: what the bot is doing.
            end: when to give up, in seconds of `time.monotonic`.
        """
        while not work.done() and time.monotonic() < end:
            await self._settle()
            if not work.done() and self._loop_clock.sleeping():
                await self._step(math.inf)

    async def _step(self, limit: float) -> bool:
        """Move to the next timer; False if there is none within `limit` seconds."""
        pause = self._loop_clock.until_next_timer()
        if pause is None or pause > limit:
            return False
        self._shift(pause)
        await self._settle()
        return True

    def _shift(self, seconds: float) -> None:
        if self._moved_wall is None:
            self._wall = time_machine.travel(time.time(), tick=True)
            self._moved_wall = self._wall.start()
        self._moved_wall.shift(seconds)
        self._loop_clock.move(seconds)

    async def _settle(self) -> None:
        """Wait until all turns have ended or sleep."""
        end = time.monotonic() + (STUCK_SECONDS if self._is_stuck else self._settling_seconds)
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            fired = self._loop_clock.fired
            for _ in range(ROUNDS_TO_WAKE_UP):
                await asyncio.sleep(0)
            is_quiet = fired == self._loop_clock.fired and not self._is_working()
            if is_quiet:
                self._is_stuck = False
                return
            if time.monotonic() > end:
                self._is_stuck = True
                return

    def _is_working(self) -> bool:
        clock = self._loop_clock
        return bool(clock.hurried() - {asyncio.current_task()}) or self._working(clock.sleeping())

    def stop(self) -> None:
        """Restore the wall clock."""
        if self._moved_wall is not None:
            self._wall.stop()
            self._moved_wall = None
