"""WorkerProcess: a worker in a process of its own, seen from the host."""

import asyncio
import contextlib
import hmac
import json
import os
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot_workbench.emulator.child import Child
from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.lifeline import LifelineAddress
from bot_workbench.emulator.functions.workers.load_report import LoadReport
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream
from bot_workbench.emulator.loopback import LOOPBACK

MAX_REPORT_BYTES = 1024 * 1024
"""A worker's report lists every function with its bindings."""


class WorkerProcess:
    """Runs the host's own program as a worker, which ends when this process does.

    Args:
        number: its name in the log, from 1.
        command: the program; it finds its lifeline in its environment.
        environ: its environment; None: this process's.
    """

    def __init__(
        self, number: int, command: Sequence[str], environ: Mapping[str, str] | None = None
    ) -> None:
        self.number = number
        self.functions: Sequence[Function] = ()
        """The app's functions, once it is loaded."""
        self.http: HttpUpstream
        """Answers HTTP requests, once it is loaded."""
        self.invocations: HttpUpstream
        """Runs other triggers' functions, once it is loaded."""
        self._command = command
        self._environ = os.environ if environ is None else environ
        self._child: Child
        self._reader: asyncio.StreamReader
        self._lifeline: asyncio.StreamWriter
        self._used = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @property
    def pid(self) -> int:
        """The process id, once it is spawned."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the process, once it is spawned, has not ended."""
        return self._child.is_running

    async def start(self) -> None:
        """Spawn it, and have it load the app.

        Raises:
            HostError: it ended before it had.
        """
        await self.spawn()
        await self.load()

    async def spawn(self) -> None:
        """Start the process, and wait until it can take commands.

        Raises:
            HostError: it ended before it could.
        """
        secret = secrets.token_urlsafe(24)
        connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        connected = asyncio.get_running_loop().create_future()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            shown = (await reader.readline()).strip()
            if connected.done() or not hmac.compare_digest(shown, secret.encode()):
                writer.close()
                return
            connected.set_result((reader, writer))

        server = await asyncio.start_server(accept, LOOPBACK, 0, limit=MAX_REPORT_BYTES)
        try:
            address = LifelineAddress(server.sockets[0].getsockname()[1], secret)
            environ = {**self._environ, **address.settings()}
            self._child = Child(self._command, environ, Path.cwd())
            await self._child.start()
            ended = asyncio.create_task(self._child.wait())
            waited: set[asyncio.Future[Any]] = {ended, connected}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:  # one that is cancelled, too, must leave no process behind
            await self.kill()
            raise
        finally:
            server.close()
        if not connected.done():
            raise self._ended_early(await ended)
        ended.cancel()
        self._reader, self._lifeline = connected.result()

    async def load(self) -> LoadReport:
        """Have it load the app.

        Raises:
            HostError: it ended before it had.
        """
        self._send({"do": "load"})
        line = await self._reader.readline()
        if not line:
            raise self._ended_early(await self.wait())
        report = LoadReport.of(json.loads(line))
        self.http = HttpUpstream(report.http)
        self.invocations = HttpUpstream(report.invocations)
        self.functions = report.functions
        return report

    def preload(self, modules: Sequence[str]) -> None:
        """Have it import installed modules, before it loads the app."""
        self._send({"do": "preload", "modules": list(modules)})

    async def answers(self, seconds: float) -> bool:
        """Whether its event loop answers in time, or the process has ended; the app is loaded."""
        self._send({"do": "answer"})
        try:
            async with asyncio.timeout(seconds):
                await self._reader.readline()
        except TimeoutError:
            return False
        except ConnectionError:
            pass  # it has been killed
        return True

    @contextmanager
    def used(self) -> Iterator[None]:
        """The block waits for an answer of this worker: see `unused`."""
        self._used += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._used -= 1
            if not self._used:
                self._unused.set()

    async def unused(self) -> None:
        """Wait until it has answered everything."""
        await self._unused.wait()

    async def end(self, timeout_seconds: float, run_seconds: float | None = 0) -> None:
        """Have it release what it holds, and end.

        Args:
            timeout_seconds: how long that may take; then it is ended at once.
            run_seconds: how long before functions that run may go on, which are then cancelled;
                None: as long as they like.
        """
        if self.is_running:
            self._send({"do": "end", "seconds": run_seconds})
            longest = None if run_seconds is None else run_seconds + timeout_seconds
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(longest):
                    await self.wait()
        self.stop()
        await self.kill()

    async def kill(self) -> None:
        """End the process at once, even if it is held before it could take commands."""
        if "_child" in vars(self) and self._child.is_running:
            await self._child.kill()

    async def wait(self) -> int:
        """Wait until it ends; returns its exit code, or the negative number of a signal."""
        code = await self._child.wait()
        self._lifeline.close()
        return code

    def stop(self) -> None:
        """End it as Azure ends workers: at once."""
        for name in ("_lifeline", "http", "invocations"):
            if name in vars(self):
                vars(self)[name].close()

    def _send(self, command: Mapping[str, Any]) -> None:
        self._lifeline.write(json.dumps(command).encode() + b"\n")

    def _ended_early(self, code: int) -> HostError:
        return HostError(
            f"Worker {self.number} ended while it started ({ending(code)}): the log above says why."
        )


def ending(code: int) -> str:
    """The end of a process: the signal's name, or `exit code N`."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
