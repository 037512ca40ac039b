"""MovedClock: time that passes because a test says so."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest


class _Timer:
    """A timer that can be set anew: uvloop's own go by the machine's clock, whatever it is asked.

    Args:
        arm: makes the loop's own timer for what is to be called.
        call: that.
    """

    _source_traceback = None  # asyncio's call_later looks for it

    def __init__(
        self, arm: Callable[[Callable[[], None]], asyncio.Handle], call: Callable[[], object]
    ) -> None:
        self._arm = arm
        self._call = call
        self._over = False
        self._handle = arm(self._ring)

    def _ring(self) -> None:
        self._over = True
        self._call()

    def arm_again(self) -> bool:
        """Go by the clock as it stands now; returns whether there was anything left to do."""
        if not self._over:
            self._handle.cancel()
            self._handle = self._arm(self._ring)
        return not self._over

    def cancel(self) -> None:
        self._over = True
        self._handle.cancel()


class MovedClock:
    """The running event loop's clock, moved forward instead of waited for.

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
                lambda ring: own_call_at(when, ring, context=context), lambda: callback(*args)
            )
            self._timers.append(timer)
            return timer

        monkeypatch.setattr(loop, "time", lambda: own_time() + self._moved)
        monkeypatch.setattr(loop, "call_at", call_at)

    def move(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self._moved += seconds
        self._timers = [timer for timer in self._timers if timer.arm_again()]

    async def sleep(self, seconds: float) -> None:
        """In the place of asyncio.sleep."""
        self.pauses.append(seconds)
        self.move(seconds)
