"""Ring: the message in a queue that says that an activity waits for its turn."""

import json
from typing import NamedTuple

LONGEST_PAUSE = 30.0
"""Seconds until the next ring for an activity that cannot have its turn yet."""


class WakeUp(NamedTuple):
    """Which activity waits. The activity itself is in a blob: it may be larger than a message.

    Attributes:
        activity: the blob's name: the conversation's, a slash, and the activity's.
        again: how often it was rung for in vain.
        seen: how often the host has seen the messages before this one, beyond once each: what was
            begun then may have taken the process with it.
    """

    activity: str
    again: int = 0
    seen: int = 0

    @classmethod
    def parse(cls, text: str) -> "WakeUp":
        """The ring that a message holds.

        Raises:
            ValueError: it holds none.
        """
        try:
            data = json.loads(text)
        except RecursionError:
            raise ValueError("the message nests too deeply") from None
        match data:
            case {"activity": str(activity), "again": int(again), "seen": int(seen)} if (
                "/" in activity
            ):
                return cls(activity, again, seen)
        raise ValueError("the message names no activity")

    @property
    def text(self) -> str:
        """The message."""
        return json.dumps(self._asdict())

    @property
    def conversation(self) -> str:
        """The conversation's name."""
        return self.activity.partition("/")[0]

    def later(self, dequeue_count: int) -> "WakeUp":
        """The next one for the same activity.

        Args:
            dequeue_count: how often the host has seen this one.
        """
        return WakeUp(self.activity, self.again + 1, self.seen + dequeue_count - 1)

    @property
    def pause(self) -> float:
        """Seconds until the next one, while something is not to be had: twice as long each time."""
        return LONGEST_PAUSE if self.again > 4 else 2.0**self.again
