"""SteppedClock: time that passes only in sleeps."""

import asyncio


class SteppedClock:
    """A clock for code that takes its time from a function and waits with another one.

    Work takes no time, however slow the machine is. Sleeps that start at the same moment pass
    together.

    Attributes:
        now: seconds.
        slept: the seconds of each sleep so far.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self.slept.append(seconds)
        end = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, end)
