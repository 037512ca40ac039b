"""A condition that a test waits for, outside an event loop."""

import time
from collections.abc import Callable

SECONDS = 15
"""No wait is longer."""


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Poll a condition.

    Raises:
        AssertionError: it does not come true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)
