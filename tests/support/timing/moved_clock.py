"""MovedClock: a clock that a test moves."""

import pytest

from bot_testing.clocks.loop_clock import LoopClock


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
