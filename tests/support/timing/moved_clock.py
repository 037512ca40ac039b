"""MovedClock: time that passes because a test says so."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest


class _Timer:
    """A timer that can be rearmed: uvloop's own run on the machine's clock once they are armed.

    Args:
        arm: schedules a function with the loop's own `call_at`.
        call: the function to call when the time has come.
    """

    _source_traceback = None  # asyncio's call_later reads it

    def __init__(
        self, arm: Callable[[Callable[[], None]], asyncio.Handle], call: Callable[[], object]
    ) -> None:
        self._arm = arm
        self._call = call
        self._done = False
        self._handle = arm(self._fire)

    def _fire(self) -> None:
        self._done = True
        self._call()

    def rearm(self) -> bool:
        """Rearm by the loop's current time; return whether the timer was still pending."""
        if not self._done:
            self._handle.cancel()
            self._handle = self._arm(self._fire)
        return not self._done

    def cancel(self) -> None:
        self._done = True
        self._handle.cancel()


class MovedClock:
    """The running event loop's clock, moved forward instead of waited for.

    On uvloop, timers of `call_later` are not moved: `asyncio.sleep` waits in real time.

    Args:
        monkeypatch: puts the loop's own clock back.

    Attributes:
        pauses: seconds of each `sleep` so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        own_time, own_call_at = loop.time, loop.call_at
        self._moved = 0.0
        self._timers: list[_Timer] = []
        self.pauses: list[float] = []

        def call_at(
            when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
        ) -> _Timer:
            timer = _Timer(
                lambda fire: own_call_at(when, fire, context=context), lambda: callback(*args)
            )
            self._timers.append(timer)
            return timer

        monkeypatch.setattr(loop, "time", lambda: own_time() + self._moved)
        monkeypatch.setattr(loop, "call_at", call_at)

    def move(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self._moved += seconds
        self._timers = [timer for timer in self._timers if timer.rearm()]

    async def sleep(self, seconds: float) -> None:
        """In the place of asyncio.sleep."""
        self.pauses.append(seconds)
        self.move(seconds)
