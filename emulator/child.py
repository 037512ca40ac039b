"""Child: a process that a command starts, and ends with itself."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 5.0
"""Seconds between asking a child to stop and killing it."""


class Child:
    """A child process in a group of its own, so that what it starts ends with it too.

    Args:
        command: program and arguments.
        environ: its whole environment.
        folder: its working folder.
        quiet: what it says on stdout is dropped.
        descriptors: open files that it inherits under their numbers.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        *,
        quiet: bool = False,
        descriptors: Sequence[int] = (),
    ) -> None:
        self._command = command
        self._environ = environ
        self._folder = folder
        self._stdout = subprocess.DEVNULL if quiet else None
        self._descriptors = descriptors
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; its output goes where ours goes, unless it is quiet."""
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

    async def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        return await self._running().wait()

    async def stop(self) -> None:
        """Ask it to stop; kill it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: int) -> None:
        os.killpg(self._running().pid, number)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the child is not started")
        return self._process
