"""Throttle: token buckets, as Resource Manager limits the requests of a caller."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot_workbench.emulator.resource_manager.errors import error

WRITE_BUCKET = 200
WRITES_PER_SECOND = 10.0
"""Per subscription and caller, for writes and again for deletes (Azure docs, "Understand how Azure
Resource Manager throttles requests")."""

READ_BUCKET = 250
READS_PER_SECOND = 25.0
"""The same for reads."""


@dataclass
class Throttle:
    """A bucket for each key, refilled with time.

    Attributes:
        size: requests that a full bucket allows; 0 does not limit.
        refill: requests a second that come back.
        clock: seconds, monotonic; a test may replace it.
    """

    size: float = WRITE_BUCKET
    refill: float = WRITES_PER_SECOND
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)

    def take(self, key: str, operation: str = "write") -> int:
        """Take one request from a bucket.

        Args:
            key: of the bucket.
            operation: what the refusal calls it: read, write or delete.

        Returns:
            How many are left.

        Raises:
            ArmError: 429 with `Retry-After` (whole seconds), the bucket is empty.
        """
        if not self.size:
            return WRITE_BUCKET
        now = self.clock()
        left, since = self._buckets.get(key, (self.size, now))
        left = min(self.size, left + (now - since) * self.refill)
        if left < 1:
            self._buckets[key] = (left, now)
            seconds = math.ceil((1 - left) / self.refill)
            throttled = error("SubscriptionRequestsThrottled", operation=operation, seconds=seconds)
            throttled.headers["Retry-After"] = str(seconds)
            raise throttled
        self._buckets[key] = (left - 1, now)
        return int(left - 1)
