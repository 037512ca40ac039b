"""When a call is retried: Retry-After, the backoff, and the policy."""

import datetime
import math

import pytest

from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy, retry_after

DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
"""The three forms of a date (RFC 9110, 5.6.7)."""


def in_seconds(seconds: float) -> datetime.datetime:
    """A moment from now, or before it."""
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0.0), ("17", 17.0), ("007", 7.0), ("9" * 400, math.inf)]
)
def test_seconds(text: str, seconds: float) -> None:
    """A number is seconds."""
    assert retry_after(text) == seconds


@pytest.mark.parametrize("form", DATES)
def test_a_date(form: str) -> None:
    """A date is converted into the seconds until then."""
    moment = in_seconds(90)
    before = in_seconds(0)
    found = retry_after(moment.strftime(form))
    after = in_seconds(0)
    assert found is not None
    whole = moment.replace(microsecond=0)  # a date has no fractions
    assert (whole - after).total_seconds() <= found <= (whole - before).total_seconds()


@pytest.mark.parametrize("form", DATES)
@pytest.mark.parametrize("seconds", [-1, -86400])
def test_a_date_that_has_passed(seconds: float, form: str) -> None:
    """A date in the past means no wait."""
    assert retry_after(in_seconds(seconds).strftime(form)) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "soon",
        "-1",
        "1.5",
        "1e3",
        "²",
        "٣",
        "Wed, 99 Xyz 2026",
        "Fri, 31 Feb 2026 10:00:00 GMT",
        "Wed, 01 Jan 99999999999 10:00:00 GMT",
    ],
)
def test_anything_else(text: str | None) -> None:
    """What is neither a number nor a date is ignored."""
    assert retry_after(text) is None


STEADY = Backoff(first=0.5, longest=3.0, jitter=0.0)
POLICY = RetryPolicy(max_attempts=4, max_connects=2, backoff=STEADY)


def test_backoff_doubles() -> None:
    """Each pause is twice the one before, up to the longest."""
    pauses = [STEADY.pause(attempt) for attempt in (1, 2, 3, 4, 100)]
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_jitter() -> None:
    """The random share shortens a pause by at most that share."""
    pauses = {Backoff(first=1.0, longest=1.0, jitter=0.25).pause(1) for _ in range(200)}
    assert len(pauses) > 1
    assert 0.75 <= min(pauses) < 0.8
    assert 0.95 < max(pauses) <= 1.0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_which_calls_are_retried(method: str) -> None:
    """A call that was not done is sent again; one that may have been, only if idempotent."""
    retried = {
        status for status in (CONNECT_FAILED, *range(100, 600)) if POLICY.pause(method, status, 1)
    }
    transient = {502, 503, 504} if method != "POST" else set[int]()
    assert retried == {CONNECT_FAILED, 412, 429} | transient


@pytest.mark.parametrize(
    ("status", "pauses"),
    [(429, [0.5, 1.0, 2.0, None]), (CONNECT_FAILED, [0.5, None, None, None])],
)
def test_how_often(status: int, pauses: list[float | None]) -> None:
    """A refused call has more attempts than one that cannot connect."""
    assert [POLICY.pause("POST", status, attempt) for attempt in (1, 2, 3, 4)] == pauses


def test_the_service_asks_for_a_wait() -> None:
    """The wait that the service asks for replaces the backoff, even if it is zero."""
    assert POLICY.pause("POST", 429, 1, asked=17.0) == 17.0
    assert POLICY.pause("POST", 429, 1, asked=0.0) == 0.0
    assert POLICY.pause("POST", 429, 4, asked=0.0) is None
