"""TaskWait: for how long a task has been waiting for the same thing."""

import asyncio
import time
from typing import Any


class TaskWait:
    """Watches one task, whenever it is asked.

    Args:
        task: the task.

    Attributes:
        task: as given.
    """

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.task = task
        self._future: object = None
        self._since = 0.0

    def seconds(self) -> float:
        """The (real) seconds since it was first seen to wait for this; 0: it waits for nothing."""
        future = getattr(self.task, "_fut_waiter", None)
        if future is None or future.done() or future is not self._future:
            self._future, self._since = future, time.monotonic()
        return time.monotonic() - self._since
