"""MovedClock: time that passes because a test says so."""

import asyncio

import pytest


class MovedClock:
    """The running event loop's clock, moved forward instead of waited for.

    Args:
        monkeypatch: puts the loop's own clock back.

    Attributes:
        pauses: seconds of each `sleep` so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        own = loop.time
        self._moved = 0.0
        self.pauses: list[float] = []
        monkeypatch.setattr(loop, "time", lambda: own() + self._moved)

    def move(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self._moved += seconds

    async def sleep(self, seconds: float) -> None:
        """In the place of asyncio.sleep."""
        self.pauses.append(seconds)
        self.move(seconds)
