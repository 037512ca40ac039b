"""When timers occur: NCRONTAB expressions and TimeSpans, as Azure's host reads them."""

from datetime import UTC, datetime, timedelta

import pytest

from bot_workbench.emulator.functions.timers.schedule import schedule

NOW = datetime(2026, 11, 25, 21, 2, 3, 500_000, UTC)  # a Wednesday

NEXT = {
    "0 */5 * * * *": ("2026-11-25 21:05:00", "2026-11-25 21:10:00"),
    "*/5 * * * *": ("2026-11-25 21:05:00", "2026-11-25 21:10:00"),
    " 30  0 * * * * ": ("2026-11-25 22:00:30", "2026-11-25 23:00:30"),
    "3 2 21 * * *": ("2026-11-26 21:02:03", "2026-11-27 21:02:03"),
    "0 5/20 * * * *": ("2026-11-25 21:05:00", "2026-11-25 21:25:00"),
    "0 1,2,3 * * * *": ("2026-11-25 21:03:00", "2026-11-25 22:01:00"),
    "0 0 6-22/8 * * *": ("2026-11-25 22:00:00", "2026-11-26 06:00:00"),
    "0 30 9 * * Mon-Fri": ("2026-11-26 09:30:00", "2026-11-27 09:30:00"),
    "0 30 9 * Jan sunday": ("2027-01-03 09:30:00", "2027-01-10 09:30:00"),
    "0 0 0 * * 0": ("2026-11-29 00:00:00", "2026-12-06 00:00:00"),
    "0 0 0 13 * fri": ("2027-08-13 00:00:00", "2028-10-13 00:00:00"),
    "0 0 0 1 1/3 m": ("2029-01-01 00:00:00", "2029-10-01 00:00:00"),
    "0 0 22-2 * * *": ("2026-11-25 22:00:00", "2026-11-26 02:00:00"),
    "0 0 0 29 2 *": ("2028-02-29 00:00:00", "2032-02-29 00:00:00"),
    "*/0 * * * * *": ("2026-11-25 21:02:04", "2026-11-25 21:02:05"),
}
"""The two next occurrences. A day must match day and weekday; the ends of a range are swapped."""


@pytest.mark.parametrize("text", NEXT)
def test_occurrences_of_an_expression(text: str) -> None:
    """An occurrence is on a whole second, strictly after the moment that is asked for."""
    found = schedule(text)
    first = found.next(NOW)
    occurrences = [f"{each:%Y-%m-%d %H:%M:%S}" for each in (first, found.next(first))]
    assert occurrences == list(NEXT[text])
    assert first.tzinfo == UTC


SPANS = {
    "00:05": timedelta(minutes=5),
    "10:00:00": timedelta(hours=10),
    "1.02:03:04.5": timedelta(days=1, hours=2, minutes=3, seconds=4.5),
    "24:00:00": timedelta(days=24),
    "30:01:00": timedelta(days=30, hours=1),
}


@pytest.mark.parametrize("text", SPANS)
def test_interval(text: str) -> None:
    """A TimeSpan is the time to the next occurrence; a first number that is no hour means days."""
    assert schedule(text).next(NOW) - NOW == SPANS[text]


UNREADABLE = (
    *("", "x", "5", "* * * *", "* * * * * * *", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *"),
    *("0 0 0 * * 7", "0 0 0 L * *", "0 0 0 15W * *", "0 0 0 * * 5#2", "0 0 0 ? * *", "@daily"),
    *("0 0 0 * * fridays", "0 0 0 * mon *", "0 0 jan * * *", "*-5 * * * * *", "1,,2 * * * * *"),
    *("-5 * * * * *", "*/x * * * * *", "0 0 0 31 2 *", "00:00:00", "-00:05:00", "00:60"),
)


@pytest.mark.parametrize("text", UNREADABLE)
def test_text_that_is_no_schedule(text: str) -> None:
    """What only other kinds of cron know is refused; the error's text shows both valid forms."""
    with pytest.raises(ValueError, match=r"0 \*/5 \* \* \* \*.*00:05:00"):
        schedule(text)


FREQUENT = {
    "*/30 * * * * *": True,
    "* * * * * *": True,
    "5,10 0-59 * * * *": True,
    "0 * * * * *": False,
    "*/30 0 * * * *": False,
    "* * * * * Mon": False,
    "00:00:59": True,
    "00:01:00": False,
}


@pytest.mark.parametrize("text", FREQUENT)
def test_frequent_schedules(text: str) -> None:
    """More than one occurrence in every minute is frequent: Azure does not store when it ran."""
    assert schedule(text).is_frequent == FREQUENT[text]
