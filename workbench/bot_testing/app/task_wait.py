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
        awaited: what it has last been seen to wait for, such as another task; None: nothing.
    """

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.task = task
        self.awaited: asyncio.Future[Any] | None = None
        self._since = 0.0

    def seconds(self) -> float:
        """The (real) seconds for which it has been seen to wait for this; 0: it does not wait."""
        future: asyncio.Future[Any] | None = getattr(self.task, "_fut_waiter", None)
        if future is None or future.done() or future is not self.awaited:
            self.awaited, self._since = future, time.monotonic()
        return time.monotonic() - self._since
