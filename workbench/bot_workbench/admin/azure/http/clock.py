"""Clock: the time, and waiting for it to pass."""

import datetime
import time


class Clock:
    """The machine's clock; tests have one that they move by hand."""

    def now(self) -> float:
        """Seconds since some moment, never less than before."""
        return time.monotonic()

    def utc(self) -> datetime.datetime:
        """The date and time (UTC), which may be wrong or set meanwhile: never wait for it alone."""
        return datetime.datetime.now(datetime.UTC)

    def sleep(self, seconds: float) -> None:
        """Wait; Ctrl-C ends it."""
        time.sleep(seconds)
