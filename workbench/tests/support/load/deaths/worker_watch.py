"""WorkerWatch: which workers of a host were ready, when they died, and what was logged when."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from tests.support.bots.bot_process import WORKER
from tests.support.program import is_running
from tests.support.timing.condition import comes_true
from tests.support.wire.running_service import RunningService

LOOK_SECONDS = 0.05
"""Between two looks at the log and the workers."""

START_SECONDS = 120.0
"""No worker takes longer to be ready: a host lets at least ten seconds pass between some starts,
and may be busy for forty before it ends itself."""


class WorkerWatch(RunningService):
    """Follows the log of a host, and looks after its workers.

    Args:
        log: the file, in which starts of the host follow each other.

    Attributes:
        workers: the process ids of those that were ready, in order.
        died: when they were seen to have ended, in seconds since the epoch.
        lines: what was logged, and when it was seen, in seconds since the epoch.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_to = 0
        self._looking: asyncio.Task[None]
        self.workers: list[int] = []
        self.died: dict[int, float] = {}
        self.lines: list[tuple[float, str]] = []

    async def start(self) -> None:
        """Start looking."""
        self._looking = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Stop it.

        Raises:
            Exception: it had stopped looking before, so that the figures are wrong.
        """
        self._looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._looking

    async def next_worker(self, after: int, seconds: float = START_SECONDS) -> None:
        """Wait until a worker is ready.

        Args:
            after: how many were ready before.
            seconds: to wait at most.

        Raises:
            AssertionError: none was ready in time.
        """
        with contextlib.suppress(AssertionError):
            await comes_true(lambda: len(self.workers) > after, seconds)
        assert len(self.workers) > after, f"worker {after + 1} was not ready in {seconds:.0f} s"

    def kill_worker(self) -> None:
        """Kill the newest worker, if it has not just ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.workers[-1], signal.SIGKILL)

    async def _keep_looking(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        now = time.time()
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            *whole, rest = log.read().split(b"\n")
            self._read_to = log.tell() - len(rest)
        for line in (each.decode(errors="replace") for each in whole):
            self.lines.append((now, line))
            if found := WORKER.search(line):
                self.workers.append(int(found[2]))
        for pid in self.workers:
            if pid not in self.died and not is_running(pid):
                self.died[pid] = now
