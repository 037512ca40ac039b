"""When a call is tried again: the backoff between attempts, and what a service asks for.

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
"""Sending one of these twice has the same effect as sending it once."""

REFUSED_FOR_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED})
"""Statuses that say that nothing was done, whatever the method: the call can be sent again."""

TRANSIENT_FAILURES = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
"""Statuses that leave open whether the call was done: only idempotent ones are sent again."""

CONNECT_FAILED = 0
"""In the place of a status: there was no connection, so nothing was sent."""


def retry_after(text: str | None) -> float | None:
    """Seconds to wait, from a Retry-After header's number of seconds or its date.

    Returns:
        None when the header is missing, or is neither.
    """
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, OverflowError):  # not a date either
        moment = email.utils.parsedate_to_datetime(text).replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


@dataclass(frozen=True)
class Backoff:
    """Seconds between attempts: doubled each time, up to a maximum.

    Attributes:
        first: seconds before the second attempt.
        longest: seconds that the pause grows to.
        jitter: the share of each pause that is random, from 0 to 1: it spreads the load of many
            callers.
    """

    first: float
    longest: float
    jitter: float = 0.5

    def pause(self, attempt: int) -> float:
        """Seconds to wait after an attempt; the first is 1."""
        whole = min(self.first * 2.0 ** (attempt - 1), self.longest)
        return whole * random.uniform(1 - self.jitter, 1)  # noqa: S311  # spreads load, guards nothing


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is tried.

    Attributes:
        max_attempts: attempts at a call that the service refuses for now.
        max_connects: attempts to connect: a host that is down must not use up the whole time.
        backoff: the pauses, where the service asks for none.
    """

    max_attempts: int
    max_connects: int
    backoff: Backoff

    def pause(
        self, method: str, status: int, attempt: int, asked: float | None = None
    ) -> float | None:
        """Seconds to wait before the next attempt; None: there is none.

        Args:
            method: GET, POST, PUT or DELETE.
            status: the HTTP status, or CONNECT_FAILED.
            attempt: the number of the one that failed; the first is 1.
            asked: seconds that the service asks to wait.
        """
        limit = self.max_connects if status == CONNECT_FAILED else self.max_attempts
        if attempt >= limit or not _may_repeat(method, status):
            return None
        return self.backoff.pause(attempt) if asked is None else asked


def _may_repeat(method: str, status: int) -> bool:
    nothing_was_done = status == CONNECT_FAILED or status in REFUSED_FOR_NOW
    return nothing_was_done or (status in TRANSIENT_FAILURES and method in IDEMPOTENT_METHODS)
