"""Schedules: when a timer occurs, in UTC.

Source: TimerSchedule of azure-webjobs-sdk-extensions, and NCrontab, which reads its expressions.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from croniter import croniter

TIME_SPAN = re.compile(
    r"(?:(?P<days>\d{1,5})[.:])??(?P<hours>[01]?\d|2[0-3]):(?P<minutes>[0-5]?\d)"
    r"(?::(?P<seconds>[0-5]?\d(?:\.\d{1,7})?))?"
)
"""A .NET TimeSpan. There is no hour 24, so 24:00:00 is 24 days."""

ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?", re.ASCII)
"""One item of a field, which separates its items with commas."""

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

FIELDS: Sequence[tuple[range, Sequence[str]]] = (
    (range(60), ()),
    (range(60), ()),
    (range(24), ()),
    (range(1, 32), ()),
    (range(1, 13), MONTHS),
    (range(7), WEEKDAYS),
)
"""The values of second, minute, hour, day, month and weekday, and their names."""

ONE_MINUTE = timedelta(minutes=1)


class CronSchedule:
    """An NCRONTAB expression: `second minute hour day month weekday`; the second may be left out.

    Differences from other kinds of cron: day and weekday must both match; Sunday is 0, not 7; any
    prefix of the English name is a name; the ends of a range may be swapped; and L, W and # are not
    supported.

    Args:
        text: the expression.

    Raises:
        ValueError: the text is not an NCRONTAB expression, or the expression never occurs.
    """

    adjust_for_dst = True
    """The value of `AdjustForDST` that the function gets."""

    def __init__(self, text: str) -> None:
        parts = text.split()
        if len(parts) == len(FIELDS) - 1:
            parts = ["0", *parts]
        fields = [_values(part, *field) for part, field in zip(parts, FIELDS, strict=True)]
        # Lists of numbers mean the same in every kind of cron.
        self._expression = " ".join(",".join(map(str, sorted(each))) for each in fields)
        is_any_minute = all(
            len(found) == len(values)
            for found, (values, _) in zip(fields[1:], FIELDS[1:], strict=True)
        )
        self.is_frequent = is_any_minute and len(fields[0]) > 1
        """Whether it occurs more than once a minute."""
        self.next(datetime.now(UTC))

    def next(self, after: datetime) -> datetime:
        """The first occurrence after a moment."""
        found: datetime = croniter(
            self._expression, after, datetime, day_or=False, second_at_beginning=True
        ).get_next()
        return found


class IntervalSchedule:
    """A constant time between two occurrences.

    Args:
        text: a TimeSpan: `hh:mm`, `hh:mm:ss` or `d.hh:mm:ss`.

    Raises:
        ValueError: the text is not a TimeSpan, or it is zero.
    """

    adjust_for_dst = False

    def __init__(self, text: str) -> None:
        span = TIME_SPAN.fullmatch(text)
        parts = span.groupdict("0") if span else {}
        self._interval = timedelta(**{unit: float(value) for unit, value in parts.items()})
        if not self._interval:
            raise ValueError
        self.is_frequent = self._interval < ONE_MINUTE

    def next(self, after: datetime) -> datetime:
        """The moment one interval later."""
        return after + self._interval


Schedule = CronSchedule | IntervalSchedule


def schedule(text: str) -> Schedule:
    """The schedule that a trigger's text describes.

    Raises:
        ValueError: the text is not a schedule.
    """
    for kind in (CronSchedule, IntervalSchedule):
        try:
            return kind(text.strip())
        except ValueError:
            continue
    raise ValueError(
        f"the schedule '{text}' is neither an NCRONTAB expression that occurs, such as"
        " '0 */5 * * * *', nor a TimeSpan, such as '00:05:00'"
    )


def _values(part: str, values: range, names: Sequence[str]) -> set[int]:
    """The numbers that one field of an expression stands for."""
    found: set[int] = set()
    for item in part.split(","):
        form = ITEM.fullmatch(item)
        if form is None or (form["first"] == "*" and form["last"]):
            raise ValueError
        if form["first"] == "*":
            first, last = values[0], values[-1]
        else:
            first = _value(form["first"], values, names)
            alone = values[-1] if form["step"] else first
            last = _value(form["last"], values, names) if form["last"] else alone
        found.update(range(min(first, last), max(first, last) + 1, int(form["step"] or 1) or 1))
    return found


def _value(text: str, values: range, names: Sequence[str]) -> int:
    if text.isdecimal():
        return values[values.index(int(text))]
    named = [index for index, name in enumerate(names) if name.startswith(text.lower())]
    if not named:
        raise ValueError
    return values[named[0]]
