"""BotProcess: the process of one contestant, with its CPU time and memory."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

START_TIMEOUT_SECONDS = 60.0

_CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, BOT_CORE = _CORES[0], _CORES[-1]
"""CPU cores: the load and the local cloud run on one, bots on the other, if there are two."""

_READY = re.compile(rb"Functions host: http://localhost:(\d+)|ready")


class BotProcess:
    """Starts and stops a contestant, on a CPU core of its own if there are two.

    Args:
        command: program and arguments.
        environ: its whole environment.
        log: file for its standard error.
        port: where it will listen; 0: it prints the port.

    Attributes:
        port: where it listens, once started.
        started: its start, on the clock of `time.perf_counter`.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], log: Path, port: int = 0
    ) -> None:
        self._command = command
        self._environ = environ
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.port = port
        self.started = 0.0

    async def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            RuntimeError: it exited.
            TimeoutError: it did not listen in time.
        """
        with self._log.open("ab") as log:
            os.sched_setaffinity(0, {BOT_CORE})  # inherited by the child
            try:
                self.started = time.perf_counter()
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    env=dict(self._environ),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    cwd=self._log.parent,
                    start_new_session=True,
                )
            finally:
                os.sched_setaffinity(0, {LOAD_CORE})
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            await self._wait_until_ready()

    async def _wait_until_ready(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if match := _READY.match(line):
                self.port = int(match[1] or self.port)
                return
        raise RuntimeError(f"{' '.join(self._command)} did not start: see {self._log}")

    async def stop(self) -> None:
        """Kill it and its child processes."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    @property
    def cpu_seconds(self) -> float:
        """Seconds of CPU time so far."""
        assert self._process is not None
        # What clock_getcpuclockid(3) returns, which Python does not have. /proc counts in 10 ms.
        return time.clock_gettime((~self._process.pid << 3) | 2)

    @property
    def peak_memory(self) -> int:
        """Bytes of the largest resident set so far."""
        match = re.search(r"VmHWM:\s+(\d+) kB", self._proc("status"))
        assert match is not None
        return int(match[1]) * 1024

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text()
