"""FastTime: a clock that runs faster than the real one, and sleeps that are as much shorter."""

import asyncio
import time


class FastTime:
    """Time for code that limits its rate: what is done at once stays at once.

    Args:
        speed: its seconds in one of the real ones.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start = time.monotonic()
        self.slept: list[float] = []
        """Its seconds, for each sleep."""

    def __call__(self) -> float:
        return (time.monotonic() - self._start) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for so many of its seconds."""
        self.slept.append(seconds)
        await asyncio.sleep(seconds / self._speed)
