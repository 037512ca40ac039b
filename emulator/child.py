"""Child: a process that a command starts and stops."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_TIMEOUT_SECONDS = 5.0
"""Between SIGTERM and SIGKILL."""


class Child:
    """A child process in a group of its own, so that signals reach what it starts too.

    Args:
        command: program and arguments.
        environ: its environment; it inherits nothing else.
        folder: its working folder.
        quiet: its stdout is dropped.
        descriptors: open file descriptors that it inherits, with the same numbers.
        stop_timeout_seconds: how long it has to stop before it is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        *,
        quiet: bool = False,
        descriptors: Sequence[int] = (),
        stop_timeout_seconds: float = STOP_TIMEOUT_SECONDS,
    ) -> None:
        self._command = command
        self._environ = environ
        self._folder = folder
        self._stdout = subprocess.DEVNULL if quiet else None
        self._descriptors = descriptors
        self._stop_timeout_seconds = stop_timeout_seconds
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, with this process's stdout, unless it is quiet, and stderr."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(self._environ),
            cwd=self._folder,
            start_new_session=True,
            stdout=self._stdout,
            pass_fds=self._descriptors,
        )

    @property
    def pid(self) -> int:
        """Its process id, once it is started."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def wait(self) -> int:
        """Wait until it ends, and return its exit code."""
        return await self._running().wait()

    async def stop(self) -> None:
        """Ask it to stop; kill it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._stop_timeout_seconds):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: int) -> None:
        # It may have ended, though the event loop has not noticed yet.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running().pid, number)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the child is not started")
        return self._process
