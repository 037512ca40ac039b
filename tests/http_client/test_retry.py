"""retry_after: the header's seconds, in both of its forms."""

import datetime
import math

import pytest

from http_client.retry import retry_after

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
    """A date is as many seconds as it is away; its own are whole ones."""
    found = retry_after(in_seconds(90).strftime(form))
    assert found is not None
    assert 88 < found <= 90


@pytest.mark.parametrize("form", DATES)
@pytest.mark.parametrize("seconds", [-1, -86400])
def test_a_date_that_has_passed(seconds: float, form: str) -> None:
    """It asks for no wait."""
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
    """What is neither says nothing."""
    assert retry_after(text) is None
