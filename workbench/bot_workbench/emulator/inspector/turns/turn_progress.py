"""TurnProgress: how far a turn is, from what channel and processes say in any order."""

from collections import Counter
from dataclasses import dataclass, field

RUNNING, QUEUED, DONE, FAILED = "running", "queued", "done", "failed"

ACCEPTED = 202
"""The HTTP status of an activity that was put into the queue."""


@dataclass(eq=False)
class TurnProgress:
    """The progress of a turn's run.

    Attributes:
        awaits_answer: the channel has sent it, and waits.
        refused: the channel got no answer, or one that is no success.
        accepted: it was put into the queue.
        ended_at: when the last thing that is known of it ended, in seconds since 1970.
    """

    awaits_answer: bool = False
    refused: bool = False
    accepted: bool = False
    ended_at: float | None = None
    _is_known: bool = False
    _failed: bool | None = None
    _runs: Counter[int] = field(default_factory=Counter)

    @property
    def outcome(self) -> str:
        """RUNNING, QUEUED, DONE or FAILED."""
        if self.awaits_answer or not self._is_known or max(self._runs.values(), default=0) > 0:
            return RUNNING
        if self.refused:
            return FAILED
        if self.accepted and self._failed is None:
            return QUEUED
        return FAILED if self._failed else DONE

    def sent(self) -> None:
        """The channel sends it."""
        self._is_known = self.awaits_answer = True

    def answered(self, at: float, *, ok: bool, accepted: bool) -> None:
        """The channel got the bot's answer, or gave up."""
        self._is_known, self.awaits_answer, self.refused = True, False, not ok
        self.accepted = self.accepted or accepted
        self._ended(at)

    def run_started(self, pid: int) -> None:
        """A process runs it, perhaps again."""
        self._is_known = True
        self._runs[pid] += 1

    def run_ended(self, pid: int, at: float, *, failed: bool) -> None:
        """A process has run it."""
        self._is_known, self._failed = True, failed
        self._runs[pid] -= 1
        self._ended(at)

    def put_into_queue(self, pid: int, at: float) -> None:
        """A process has put it into the queue: that was no run of the bot."""
        self._is_known = self.accepted = True
        self._runs[pid] -= 1
        self._ended(at)

    def process_ended(self, pid: int, at: float) -> bool:
        """A process has ended; returns whether that has ended the turn's run."""
        if self._runs.pop(pid, 0) <= 0:
            return False
        self._failed = True
        self._ended(at)
        return True

    def _ended(self, at: float) -> None:
        self.ended_at = max(at, self.ended_at or at)
