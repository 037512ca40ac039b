"""Clock: the time, and waiting for it to pass; tests move it by hand."""

import datetime
import time
from typing import Protocol


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Seconds since some moment, never less than before."""
        ...

    def utc(self) -> datetime.datetime:
        """The date and time (UTC), which may be wrong or set meanwhile: never wait for it alone."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def utc(self) -> datetime.datetime:
        """The date and time (UTC)."""
        return datetime.datetime.now(datetime.UTC)

    def sleep(self, seconds: float) -> None:
        """Wait; Ctrl-C ends it."""
        time.sleep(seconds)
