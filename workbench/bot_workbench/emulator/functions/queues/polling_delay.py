"""PollingDelay: how long to wait before an empty queue is polled again."""

import random

MIN_SECONDS = 0.1
JITTER = (0.8, 1.2)


class PollingDelay:
    """Doubles, with jitter, from 0.1 s up to a maximum; each message resets it.

    Source: RandomizedExponentialBackoffStrategy of the WebJobs SDK.

    Args:
        max_seconds: the maximum.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._doublings = 0

    def reset(self) -> None:
        """Start again at the minimum: there was a message."""
        self._doublings = 0

    def next(self) -> float:
        """Seconds until the next poll, after one that found no message."""
        # Keeps listeners that start together from polling together; nothing here is secret.
        delay = MIN_SECONDS + random.uniform(*JITTER) * 2.0**self._doublings * MIN_SECONDS  # noqa: S311
        if delay >= self._max_seconds:
            return self._max_seconds
        self._doublings += 1
        return delay
