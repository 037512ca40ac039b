"""Child: a process that a command starts and stops."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05
STOP_TIMEOUT_SECONDS = 5.0
"""Between SIGTERM and SIGKILL."""


_started: "weakref.WeakSet[Child]" = weakref.WeakSet()


class Child:
    """A child process in a group of its own, so that signals reach what it starts too.

    Windows has no such signals: there, the process alone gets Ctrl-Break, and is killed together
    with what it has started.

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
            stdout=self._stdout,
            **own_group(self._descriptors),
        )
        _started.add(self)

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

    async def answers(self, url: str, seconds: float) -> None:
        """Wait until there is any answer from a URL of its: a refusal is one, too.

        Raises:
            ChildProcessError: it ended, with this exit code.
            TimeoutError: there is none in this time.
        """
        import aiohttp  # the set-up ends programs with this module before it installs packages

        ended = asyncio.create_task(self.wait())
        try:
            async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
                while not ended.done():
                    with contextlib.suppress(aiohttp.ClientError):
                        # The child's certificate matters to clients, not to this check.
                        async with session.get(url, ssl=False):
                            return
                    await asyncio.sleep(POLL_SECONDS)
        finally:
            ended.cancel()
        raise ChildProcessError(ended.result())

    async def stop(self) -> None:
        """Ask it to stop; kill it if it does not, or cannot be asked."""
        if not self.is_running:
            return
        try:
            self._ask()
            async with asyncio.timeout(self._stop_timeout_seconds):
                await self.wait()
        except OSError:  # it takes too long, has just ended, or, on Windows, has no console
            await self.kill()

    async def kill(self) -> None:
        """End it at once, with what it has started."""
        # It may have ended, though the event loop has not noticed yet.
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                await _kill_tree(self.pid)
            else:
                os.killpg(self.pid, signal.SIGKILL)
        await self.wait()

    def _ask(self) -> None:
        if sys.platform == "win32":
            self._running().send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(self.pid, signal.SIGTERM)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the child is not started")
        return self._process


def kill_all() -> None:
    """End every child of this process at once, with what it has started, and wait for nothing."""
    for child in [each for each in _started if each.is_running]:
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                kill_tree(child.pid)
            else:
                os.killpg(child.pid, signal.SIGKILL)


def kill_tree(pid: int) -> None:
    """End a process at once, with what it has started, on Windows."""
    quiet = subprocess.DEVNULL
    subprocess.run(_taskkill(pid), stdout=quiet, stderr=quiet, check=False)


def own_group(descriptors: Sequence[int] = ()) -> dict[str, Any]:
    """Arguments of Popen that give a process a group of its own.

    Args:
        descriptors: open file descriptors that it inherits.
    """
    if sys.platform == "win32":
        if descriptors:
            raise NotImplementedError("a child inherits descriptors on POSIX only")
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True, "pass_fds": descriptors}


def _taskkill(pid: int) -> tuple[str, ...]:
    return ("taskkill", "/T", "/F", "/PID", str(pid))


async def _kill_tree(pid: int) -> None:
    taskkill = await asyncio.create_subprocess_exec(
        *_taskkill(pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    await taskkill.wait()
