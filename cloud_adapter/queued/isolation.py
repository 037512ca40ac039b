"""Isolation: turns that were cut off twice run one at a time in a process.

When a process dies, every turn that runs in it is cut off, and it is not known which one was at
fault. A turn that was cut off once runs again beside all others. One that was cut off again is put
back into the queue for a while, so that the others can end first, and then runs while no other such
turn does: if the process dies again, only this one of them was running. A turn that waits for that
has no lease, because its lease would say that it was cut off, too.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from cloud_adapter.queued.attempts import RETRY_PAUSE_SECONDS

MIN_CUT_OFFS = 2
"""A turn that was cut off so often is isolated."""

WAITING_SECONDS = 3 * RETRY_PAUSE_SECONDS
"""How long it counts that a turn waits: after that time, another process has probably run it."""


def is_isolated(cut_offs: int) -> bool:
    """Whether a turn that was cut off so often must run alone."""
    return cut_offs >= MIN_CUT_OFFS


class Isolation:
    """The isolated turns of this process."""

    def __init__(self) -> None:
        self._is_taken = False
        # By name: how often the turn was cut off, and until when it counts (event loop time).
        self._waiting: dict[str, tuple[int, float]] = {}

    @contextmanager
    def slot(self, name: str, cut_offs: int) -> Iterator[bool]:
        """Yields whether a turn may run in the block; an isolated one may if no other one runs.

        Of those that wait, the turns go first that were cut off less often.

        Args:
            name: identifies the turn.
            cut_offs: how often it was cut off.
        """
        if not is_isolated(cut_offs):
            yield True
            return
        now = asyncio.get_running_loop().time()
        self._waiting.pop(name, None)
        self._waiting = {key: each for key, each in self._waiting.items() if each[1] > now}
        if self._is_taken or any(others < cut_offs for others, _ in self._waiting.values()):
            self._waiting[name] = (cut_offs, now + WAITING_SECONDS)
            yield False
            return
        self._is_taken = True
        try:
            yield True
        finally:
            self._is_taken = False
