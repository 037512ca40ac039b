"""When a call is retried: the backoff between attempts, and the wait that a service asks for.

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
"""Sending one of these twice has the effect of sending it once."""

REFUSED_FOR_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED})
"""The service did nothing: a call of any method can be sent again."""

TRANSIENT_FAILURES = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
"""The service may have done it: only an idempotent call is sent again."""

CONNECT_FAILED = 0
"""In place of a status: there was no connection, so nothing was sent."""


def retry_after(text: str | None) -> float | None:
    """Seconds to wait, from the value of a Retry-After header.

    Args:
        text: a number of seconds or an HTTP date; None without the header.

    Returns:
        None when the header is missing, or is neither a number nor a date.
    """
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, OverflowError):  # neither number nor date
        moment = email.utils.parsedate_to_datetime(text).replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


@dataclass(frozen=True)
class Backoff:
    """The pauses between attempts: each is twice the one before, up to a maximum.

    Attributes:
        first: seconds after the first attempt.
        longest: seconds, the maximum.
        jitter: the random share of each pause, from 0 to 1, so that many callers do not retry at
            the same moment.
    """

    first: float
    longest: float
    jitter: float = 0.5

    def pause(self, attempt: int) -> float:
        """Seconds to wait after an attempt; the first attempt is 1."""
        whole = min(self.first * 2.0 ** (attempt - 1), self.longest)
        return whole * random.uniform(1 - self.jitter, 1)  # noqa: S311  # spreads load, guards nothing


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is attempted, and how long to wait in between.

    Attributes:
        max_attempts: of a call that gets a status that can be retried.
        max_connects: of a call that cannot connect; fewer, because a host that is down would use
            up the turn's time.
        backoff: the pauses when the service does not ask for one.
    """

    max_attempts: int
    max_connects: int
    backoff: Backoff

    def pause(
        self, method: str, status: int, attempt: int, asked: float | None = None
    ) -> float | None:
        """Seconds to wait before the next attempt.

        Args:
            method: GET, POST, PUT or DELETE.
            status: the HTTP status, or CONNECT_FAILED.
            attempt: number of the failed attempt; the first is 1.
            asked: seconds that the service asks to wait, if it does.

        Returns:
            None when the call must not be sent again.
        """
        limit = self.max_connects if status == CONNECT_FAILED else self.max_attempts
        if attempt >= limit or not _may_repeat(method, status):
            return None
        return self.backoff.pause(attempt) if asked is None else asked


def _may_repeat(method: str, status: int) -> bool:
    nothing_was_done = status == CONNECT_FAILED or status in REFUSED_FOR_NOW
    return nothing_was_done or (status in TRANSIENT_FAILURES and method in IDEMPOTENT_METHODS)
