"""TurnJournal: which turns began when, and in which process."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple


class Run(NamedTuple):
    """A turn that began.

    Attributes:
        at: seconds since the epoch.
        pid: of the process.
    """

    at: float
    pid: int


class Rerun(NamedTuple):
    """A turn that began again after the process of the run before had died.

    Attributes:
        number: of the run; 2 for a turn that was cut off for the first time.
        had_run: seconds from the begin of the run before until the process died.
        after: seconds from then on; 0 if it began before.
    """

    number: int
    had_run: float
    after: float


class TurnJournal:
    """The file to which the bot appends a line whenever a turn begins.

    Args:
        path: the file; it may be missing as long as no turn has begun.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self) -> dict[str, list[Run]]:
        """The runs of each activity's turn in the order of their begins, by the activity's id."""
        found: defaultdict[str, list[Run]] = defaultdict(list)
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                at, pid, activity_id = line.split()
                found[activity_id].append(Run(float(at), int(pid)))
        return found

    def reruns(self, died: Mapping[int, float]) -> Sequence[Rerun]:
        """The runs that followed a death.

        Args:
            died: when processes died, in seconds since the epoch, by their ids.
        """
        return [
            Rerun(number, died[before.pid] - before.at, max(0.0, after.at - died[before.pid]))
            for runs in self.runs().values()
            for number, (before, after) in enumerate(pairwise(runs), 2)
            if before.pid in died and before.pid != after.pid
        ]
