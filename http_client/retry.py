"""Retry policy: which calls may be sent again, and how long to wait before the next attempt.

Sources: RFC 9110 for idempotent methods (9.2.2) and Retry-After (10.2.3); Microsoft reference
"Optimize your bot with rate limiting in Teams" for 412, 429, 502 and 504.
"""

import contextlib
import datetime
import email.utils
import random
from dataclasses import dataclass
from http import HTTPStatus

IDEMPOTENT_METHODS = frozenset({"GET", "PUT", "DELETE"})
"""Methods of requests that have the same effect when they are sent twice."""

REFUSED_FOR_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED})
"""Statuses that mean that the service did nothing: a call with any method can be sent again."""

TRANSIENT_FAILURES = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
"""Statuses after which the call may have been carried out: only an idempotent call is sent again.
"""

CONNECT_FAILED = 0
"""Stands for a status if there was no connection, so that nothing was sent."""


def retry_after(text: str | None) -> float | None:
    """Seconds to wait, from the value of a Retry-After header.

    Args:
        text: a number of seconds or an HTTP date; None if there is no such header.

    Returns:
        None if the header is missing, or is neither a number nor a date.
    """
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, OverflowError):  # neither a number nor a date
        until = email.utils.parsedate_to_datetime(text).replace(tzinfo=datetime.UTC)
        return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


@dataclass(frozen=True)
class Backoff:
    """The pauses between attempts: each is twice as long as the previous one, up to a maximum.

    Attributes:
        first: seconds to wait after the first attempt.
        longest: the maximum number of seconds to wait.
        jitter: the random share of each pause, from 0 to 1, so that many callers do not retry at
            the same moment.
    """

    first: float
    longest: float
    jitter: float = 0.5

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the attempt with this number; the first is 1."""
        whole = min(self.first * 2.0 ** (attempt - 1), self.longest)
        return whole * random.uniform(1 - self.jitter, 1)  # noqa: S311  # spreads load, guards nothing


@dataclass(frozen=True)
class RetryPolicy:
    """The attempts at a call, and the pauses in between.

    Attributes:
        max_attempts: the number of attempts if the service responds with a status to retry.
        max_connects: the number of attempts if there is no connection. Usually fewer, because a
            host that is down would use up the turn's time.
        backoff: the pauses if the service does not ask for one.
        refused_for_now: statuses after which a call with any method is sent again.
    """

    max_attempts: int
    max_connects: int
    backoff: Backoff
    refused_for_now: frozenset[int] = REFUSED_FOR_NOW

    def pause(
        self, method: str, status: int, attempt: int, asked: float | None = None
    ) -> float | None:
        """Seconds to wait before the next attempt.

        Args:
            method: GET, POST, PUT or DELETE.
            status: the HTTP status, or CONNECT_FAILED.
            attempt: number of the failed attempt; the first is 1.
            asked: seconds that the service asks to wait; None if it does not ask.

        Returns:
            None if the call must not be sent again.
        """
        limit = self.max_connects if status == CONNECT_FAILED else self.max_attempts
        if attempt >= limit or not self._may_repeat(method, status):
            return None
        return self.backoff.pause(attempt) if asked is None else asked

    def _may_repeat(self, method: str, status: int) -> bool:
        if status == CONNECT_FAILED or status in self.refused_for_now:
            return True
        return status in TRANSIENT_FAILURES and method in IDEMPOTENT_METHODS
