"""MovedClock: a clock that does not wait."""

import datetime

from bot_workbench.admin.azure.clock import Clock


class MovedClock(Clock):
    """The time of a test: a wait moves it.

    Attributes:
        waits: all waits so far, in seconds.
    """

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        """Seconds since the test's start."""
        return sum(self.waits)

    def utc(self) -> datetime.datetime:
        """The machine's time, ahead by all waits."""
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.now())

    def sleep(self, seconds: float) -> None:
        """Move the time."""
        self.waits.append(seconds)
