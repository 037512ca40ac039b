"""MovedClock: a clock that a test moves."""

import time
from collections.abc import Callable

import pytest

from bot_testing.clocks.loop_clock import LoopClock
from tests.support.timing.condition import SECONDS
from tests.support.timing.loop_turns import settled


class MovedClock(LoopClock):
    """The running event loop's clock, and a `sleep` that moves it.

    Args:
        monkeypatch: puts the loop's own clock back.

    Attributes:
        pauses: seconds of each `sleep` so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch)
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """In the place of asyncio.sleep."""
        self.pauses.append(seconds)
        self.move(seconds)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let tasks run until a condition is true, also while the clock is stopped.

        Raises:
            AssertionError: it does not come true in time.
        """
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, "the condition did not come true in time"
            await settled()
