"""RestartedHost: a Functions host that is started again whenever it ends, as Azure does."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path

from emulator.loopback import LOCALHOST, free_port
from tests.support.bots.bot_process import APP, WORKER
from tests.support.program import is_running
from tests.support.timing.condition import comes_true
from tests.support.wire.running_service import RunningService

LOOK_SECONDS = 0.05
"""Between two looks at the log and the workers."""

START_SECONDS = 120.0
"""No worker takes longer to be ready: a host lets at least ten seconds pass between some starts,
and may be busy for forty before it ends itself."""

MIN_RUN_SECONDS = 1.0
"""A host that ends sooner, because the port is still in use, is not started again before."""


class RestartedHost(RunningService):
    """The emulator's Functions host with one worker, on a port that it keeps.

    Args:
        app: the app's folder.
        settings: the app's environment; nothing of this process's settings leaks into it.
        log: file for what all starts log.

    Attributes:
        starts: how often the host was started.
        workers: the process ids of the workers that were ready, in order.
        died: when they were seen to have ended, in seconds since the epoch.
        lines: what was logged, and when it was seen, in seconds since the epoch.
    """

    def __init__(self, app: Path, settings: Mapping[str, str], log: Path) -> None:
        self._port = free_port()
        own = ("PATH", "HOME", "TMPDIR")
        self._environ = {name: os.environ[name] for name in own if name in os.environ}
        self._environ |= {"PYTHONPATH": str(APP), **settings}
        self._command = [sys.executable, "-m", "emulator.functions", "--app", str(app)]
        self._command += ["--workers", "1", "--port", str(self._port)]
        self._log = log
        self._read_to = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._process: Process | None = None
        self.starts = 0
        self.workers: list[int] = []
        self.died: dict[int, float] = {}
        self.lines: list[tuple[float, str]] = []

    @property
    def messages(self) -> str:
        """URL of the messaging endpoint."""
        return f"http://{LOCALHOST}:{self._port}/api/messages"

    async def start(self) -> None:
        """Start it, and wait until its worker is ready."""
        self._log.write_bytes(b"")
        self._tasks = [
            asyncio.create_task(self._keep_running()),
            asyncio.create_task(self._keep_looking()),
        ]
        try:
            await self.next_worker(0)
        except BaseException:  # one that is cancelled, too, must leave no process behind
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it for good, at once, even if turns run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process is not None:
            self.signal(signal.SIGKILL)
            await self._process.wait()
        await comes_true(lambda: not any(map(is_running, self.workers)))  # they end with the host

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

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the host, if it has not just ended."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill_worker(self) -> None:
        """Kill the last worker, if it has not just ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.workers[-1], signal.SIGKILL)

    async def _keep_running(self) -> None:
        while True:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, env=self._environ, cwd=self._log.parent, stdout=log, stderr=log
                )
            self.starts += 1
            pause = asyncio.create_task(asyncio.sleep(MIN_RUN_SECONDS))
            await self._process.wait()
            await pause

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
