"""timer_info: the value that a timer's function gets."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bot_workbench.emulator.functions.workers.protocol import TypedData

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ScheduleStatus:
    """The stored status of a timer. Times are in UTC.

    Attributes:
        next: the next occurrence.
        last: the last run; NEVER: there was none.
        updated: the moment after which `next` is the first occurrence.
    """

    next: datetime
    last: datetime = NEVER
    updated: datetime = NEVER

    @classmethod
    def of(cls, text: str) -> Self:
        """The status in JSON.

        Raises:
            ValueError: it is not as `to_json` writes it.
        """
        try:
            content = json.loads(text)
            times = [datetime.fromisoformat(content[name]) for name in _NAMES]
            return cls(*(each.replace(tzinfo=each.tzinfo or UTC) for each in times))
        except (KeyError, TypeError) as error:
            raise ValueError("it is not the status of a timer") from error

    def to_json(self) -> str:
        """The status as Azure's host stores it."""
        times = (self.next, self.last, self.updated)
        return json.dumps({name: at.isoformat() for name, at in zip(_NAMES, times, strict=True)})


_NAMES = ("Next", "Last", "LastUpdated")


def timer_info(
    adjust_for_dst: bool = True, status: ScheduleStatus | None = None, past_due: bool = False
) -> TypedData:
    """The value of a timer's function, from which the worker makes a `func.TimerRequest`.

    Args:
        adjust_for_dst: the schedule's attribute of this name.
        status: the timer's status; None if the host does not store it.
        past_due: whether this run makes up for a missed occurrence.
    """
    stored = status.to_json() if status else "null"
    schedule = json.dumps({"AdjustForDST": adjust_for_dst})
    return TypedData(
        json=f'{{"Schedule": {schedule}, "ScheduleStatus": {stored}, '
        f'"IsPastDue": {json.dumps(past_due)}}}'
    )
