"""BotProcess: the function app in a Functions host of its own, as a user runs it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.support.bots.app_folder import tests_app
from tests.support.timing import event_loops
from tests.support.timing.condition import SECONDS

APP = Path(__file__).parents[4]
WORKER = re.compile(r"Worker (\d+) started \(pid (\d+)\)")
READY = re.compile(r"Functions host: (http://localhost:\d+)")


class BotProcess:
    """Starts the workbench's Functions host with the app, and ends it.

    Args:
        settings: the app's environment; nothing of this process's settings leaks into it.
        log: file for the host's log. The lines that Azure would drop are also written beside it, to
            the same name with the suffix `.lost`.
        app: the app's folder; None: the app with the bot of the base's tests.
        options: more arguments for the host.
        interpreter: more arguments for Python.
        loop: the host's event loop, `uvloop` or `asyncio`; None: `event_loops.default`.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        log: Path,
        app: Path | None = None,
        options: tuple[str, ...] = (),
        interpreter: tuple[str, ...] = (),
        loop: str | None = None,
    ) -> None:
        self._environ = {
            name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
        } | {"PYTHONPATH": str(APP / "workbench"), **settings}
        host = [sys.executable, *interpreter, "-m", "bot_workbench.emulator.functions"]
        host += [
            "--app",
            str(app or tests_app()),
            "--port",
            "0",
            "--loop",
            loop or event_loops.default,
        ]
        self._lost = log.with_suffix(".lost")
        self.command = [*host, "--lost-log", str(self._lost), *options]
        """The command line."""
        self.log = log
        self.ready = ""
        """The line with which the host says that it is ready."""
        self.url = ""
        self.printed: str | None = None
        """What it has written to standard output since then; None until it has ended."""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.log.write_text("")
        self.start()
        if not self.until_ready():
            raise AssertionError(f"the host did not start: {self.log.read_text()}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        # After SIGTERM, functions in worker processes may go on for a while.
        self._process.send_signal(signal.SIGINT)
        self.printed = self._process.communicate(timeout=SECONDS)[0]

    def start(self) -> None:
        """Start the process; the log grows."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self._environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.log.parent,
            )

    def until_ready(self) -> bool:
        """Wait until the host says that it is ready; returns whether it has not ended before."""
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if match := READY.search(line):
                self.ready = line
                self.url = match[1]
                return True
        self._process.communicate(timeout=SECONDS)
        return False

    async def __aenter__(self) -> Self:
        """The same without blocking the event loop."""
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)

    @property
    def returncode(self) -> int | None:
        """The end of the process; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> dict[int, int]:
        """The process ids of the host's workers by their numbers, with the option --workers."""
        found = WORKER.findall(self.log.read_text())
        return {int(number): int(pid) for number, pid in found}

    @property
    def lost(self) -> list[dict[str, Any]]:
        """The lines that Azure would drop: `logger`, `level` and `message` of each."""
        return [json.loads(line) for line in self._lost.read_text().splitlines()]

    @property
    def messages(self) -> str:
        """URL of the messaging endpoint."""
        return f"{self.url}/api/messages"
