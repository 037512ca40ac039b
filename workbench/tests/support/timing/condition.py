"""A condition that a test waits for, outside of an event loop or in one."""

import asyncio
import time
from collections.abc import Awaitable, Callable

SECONDS = 60
"""No wait is longer, unless the test says so."""

EVERY = 0.02
"""Seconds between two polls."""


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Poll a condition.

    Raises:
        AssertionError: it does not come true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(EVERY)


async def comes_true(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Poll a condition, and let the event loop's tasks run meanwhile.

    Raises:
        AssertionError: it does not come true in time.
    """

    async def holds() -> bool:
        return condition()

    await found(holds, seconds)


async def found[Value](look: Callable[[], Awaitable[Value]], seconds: float = SECONDS) -> Value:
    """Poll what has to be awaited, and return its first value that is true.

    Raises:
        AssertionError: there is none in time.
    """
    end = time.monotonic() + seconds
    while not (value := await look()):
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(EVERY)
    return value
