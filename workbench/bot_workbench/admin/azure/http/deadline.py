"""Deadline: when a command stops waiting, whatever it waits for."""

import math
from dataclasses import dataclass

from bot_workbench.admin.azure.http.clock import Clock

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
