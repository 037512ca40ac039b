"""WorkerProcess: a worker in a process of its own, seen from the host."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from emulator.child import Child
from emulator.functions.errors import HostError
from emulator.functions.workers.function import Function
from emulator.functions.workers.upstream import HttpUpstream

MAX_REPORT_BYTES = 1024 * 1024
"""A worker's report lists every function with its bindings."""


class WorkerProcess:
    """Runs the host's own program as a worker, which ends when this process does.

    Args:
        number: its name in the log, from 1.
        command: the program; it takes `--lifeline DESCRIPTOR`.
    """

    def __init__(self, number: int, command: Sequence[str]) -> None:
        self.number = number
        self.functions: Sequence[Function] = ()
        """The app's functions, once it is started."""
        self.http: HttpUpstream
        """Answers HTTP requests, once it is started."""
        self.invocations: HttpUpstream
        """Runs other triggers' functions, once it is started."""
        self._command = command
        self._child: Child
        self._lifeline: asyncio.StreamWriter

    @property
    def pid(self) -> int:
        """The process id, once it is started."""
        return self._child.pid

    async def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            HostError: it ended before it was.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            command = [*self._command, "--lifeline", str(descriptor)]
            self._child = Child(command, os.environ, Path.cwd(), descriptors=[descriptor])
            await self._child.start()
        reader, self._lifeline = await asyncio.open_connection(sock=ours, limit=MAX_REPORT_BYTES)
        line = await reader.readline()
        if not line:
            how = await self.wait()
            raise HostError(
                f"Worker {self.number} ended while it started ({how}): the log above says why."
            )
        report = json.loads(line)
        self.http = HttpUpstream(report["http"])
        self.invocations = HttpUpstream(report["invocations"])
        self.functions = [
            Function(each["id"], each["name"], tuple(each["bindings"]))
            for each in report["functions"]
        ]

    async def wait(self) -> str:
        """Wait until it ends; returns the signal's name or `exit code N`."""
        code = await self._child.wait()
        self._lifeline.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """End it as Azure ends workers: at once."""
        self._lifeline.close()
        self.http.close()
        self.invocations.close()
