"""PollingDelay: how long a queue that was empty is left alone."""

import random

MINIMUM = 0.1
"""Seconds."""
SPREAD = (0.8, 1.2)


class PollingDelay:
    """Grows at random from 0.1 s to a maximum, and starts anew after each message.

    Source: RandomizedExponentialBackoffStrategy of the WebJobs SDK.

    Args:
        maximum: seconds.
    """

    def __init__(self, maximum: float) -> None:
        self._maximum = maximum
        self._doublings = 0

    def reset(self) -> None:
        """There was a message."""
        self._doublings = 0

    def next(self) -> float:
        """Seconds until the next look, after one that found nothing."""
        # Many listeners that begin together shall not stay together; nothing here is secret.
        delay = MINIMUM + random.uniform(*SPREAD) * 2.0**self._doublings * MINIMUM  # noqa: S311
        if delay >= self._maximum:
            return self._maximum
        self._doublings += 1
        return delay
