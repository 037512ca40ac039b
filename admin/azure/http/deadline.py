"""Deadline: until when a command waits, whatever it waits for."""

import math
from dataclasses import dataclass

from admin.azure.http.clock import Clock, SystemClock

MIN_ANSWER_SECONDS = 10.0
"""How long a request may take at least: one that is sent late has a chance to be answered."""


@dataclass(frozen=True)
class Deadline:
    """The end of the time that `--timeout` gives. Whatever is sent has at least MIN_ANSWER_SECONDS;
    nothing is sent again after it.

    Attributes:
        clock: the time.
        at: when it is over, in the clock's seconds; infinite: never.
    """

    clock: Clock
    at: float = math.inf

    @property
    def left(self) -> float:
        """Seconds until then; at least 0."""
        return max(0.0, self.at - self.clock.now())

    def answer_seconds(self, most: float) -> float:
        """How long the answer to a request that is sent now may take.

        Args:
            most: seconds that it may take without a deadline.
        """
        return max(MIN_ANSWER_SECONDS, min(most, self.left))


NO_DEADLINE = Deadline(SystemClock())
"""Of a command that has no `--timeout`."""
