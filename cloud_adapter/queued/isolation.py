"""Isolation: turns that were cut off twice run one at a time in a process.

When a process dies, every turn that runs in it is cut off, and it is not known which one was at
fault. A turn that was cut off once runs again beside all others. One that was cut off again is put
back into the queue for a while, so that the others can end first, and then runs while no other such
turn does: if the process dies again, only this one of them was running.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from cloud_adapter.queued.attempts import MAX_ATTEMPTS, RETRY_PAUSE_SECONDS
from cloud_adapter.queued.stored_activity import StoredActivity

MIN_CUT_OFFS = 2
"""A turn that was cut off so often is isolated."""

MEMORY_SECONDS = 3 * RETRY_PAUSE_SECONDS
"""How long it counts that a turn waits: after that time, another process has probably run it."""


class Isolation:
    """The isolated turns of this process."""

    def __init__(self) -> None:
        self._is_running = False
        # By name: how often the turn was cut off, and until when it counts (event loop time).
        self._waiting: dict[str, tuple[int, float]] = {}

    def admits(self, stored: StoredActivity, *, was_cut_off: bool) -> bool:
        """Whether a turn may run now; if not, it is put back into the queue.

        Of those that wait, the turns go first that were cut off less often.

        Args:
            stored: its activity.
            was_cut_off: it was cut off just now.
        """
        if not _is_isolated(stored):
            return True
        now = asyncio.get_running_loop().time()
        self._waiting.pop(stored.name, None)
        self._waiting = {name: each for name, each in self._waiting.items() if each[1] > now}
        is_behind = any(cut_offs < stored.cut_offs for cut_offs, _ in self._waiting.values())
        if was_cut_off or self._is_running or is_behind:
            self._waiting[stored.name] = (stored.cut_offs, now + MEMORY_SECONDS)
            return False
        return True

    @contextmanager
    def running(self, stored: StoredActivity) -> Iterator[None]:
        """The block runs a turn that was admitted."""
        if not _is_isolated(stored):
            yield
            return
        self._is_running = True
        try:
            yield
        finally:
            self._is_running = False


def _is_isolated(stored: StoredActivity) -> bool:
    """After the last attempt, the bot's code does not run again."""
    return stored.cut_offs >= MIN_CUT_OFFS and stored.attempts < MAX_ATTEMPTS
