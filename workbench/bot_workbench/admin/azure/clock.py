"""The time, and waiting for it to pass; when a command stops waiting."""

import datetime
import math
import time
from dataclasses import dataclass


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


MIN_ANSWER_SECONDS = 10.0
"""The shortest time limit of a request: one that is sent late has a chance to be answered."""


@dataclass(frozen=True)
class Deadline:
    """The end of the time that `--timeout` gives. Each request may take at least
    MIN_ANSWER_SECONDS; none is repeated after the deadline.

    Attributes:
        clock: the time.
        at: the deadline, in the clock's seconds; infinite: there is none.
    """

    clock: Clock
    at: float = math.inf

    @property
    def left(self) -> float:
        """Seconds until then; at least 0."""
        return max(0.0, self.at - self.clock.now())

    def answer_seconds(self, most: float) -> float:
        """The time limit of the answer to a request that is sent now.

        Args:
            most: seconds that it may take without a deadline.
        """
        return max(MIN_ANSWER_SECONDS, min(most, self.left))


NO_DEADLINE = Deadline(Clock())
"""For commands without `--timeout`."""
