"""ReloadingApp: an app in a host that reloads, and what the host reports of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bot_workbench.emulator.feed.feed_server import Event, FeedServer
from tests.support.project import ROOT
from tests.support.timing import event_loops
from tests.support.timing.condition import SECONDS, comes_true
from tests.support.wire.host_client import HostClient


class ReloadingApp:
    """Runs the host as `make run` does; an async context manager.

    Args:
        app: the app's folder.
        log: file for what the host prints and logs.
        settings: the app's environment.
        options: more arguments for the host.
        code: the folder that `save` writes to; None: the app's.
        interpreter: more arguments for Python.
    """

    def __init__(
        self,
        app: Path,
        log: Path,
        settings: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
        code: Path | None = None,
        interpreter: tuple[str, ...] = (),
    ) -> None:
        self.code = code or app
        self.log = log
        self.events: list[Event] = []
        """What the host has reported, oldest first; of its workers, only that they connect."""
        self.url = ""
        self._feed = FeedServer()
        self._feed.on_event = self.events.append
        self._settings = settings or {}
        self._command = [sys.executable, *interpreter, "-m", "bot_workbench.emulator.functions"]
        self._command += ["--app", str(app), "--port", "0", "--reload"]
        self._command += ["--loop", event_loops.default, *options]
        self._process: subprocess.Popen[bytes]
        self.client: HostClient

    async def __aenter__(self) -> Self:
        await self._feed.start()
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ = kept | {"PYTHONPATH": str(ROOT / "workbench"), **self._feed.address.settings()}
        with self.log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 # it takes a millisecond
                self._command,
                env=environ | dict(self._settings),
                cwd=self.log.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        await comes_true(lambda: "Functions host: " in self.output or not self.is_running)
        assert self.is_running, self.output
        self.url = self.output.partition("Functions host: ")[2].split()[0]
        self.client = await HostClient(self.url).__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.__aexit__()
        if self.is_running:
            self._process.terminate()
        await asyncio.to_thread(self._process.wait, SECONDS)
        await self._feed.stop()

    @property
    def is_running(self) -> bool:
        """Whether the host runs."""
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """The output and the log of the host so far."""
        return self.log.read_text()

    @property
    def processes(self) -> set[int]:
        """The ids of the host's workers, the one that answers, spare ones, and old ones."""
        return set(children(self._process.pid))

    @property
    def pid(self) -> int:
        """The host's id."""
        return self._process.pid

    def kill(self) -> None:
        """Kill the host alone."""
        self._process.send_signal(signal.SIGKILL)

    def save(self, name: str, text: str) -> None:
        """Save a file as editors do: a new file takes the old one's name."""
        new = self.code / f"{name}.swp"
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text)
        new.replace(self.code / name)

    def statuses(self, state: str) -> list[dict[str, Any]]:
        """The host's reports of a state, oldest first."""
        return [e for e in self.events if e["event"] == "status" and e["state"] == state]

    async def reported(self, state: str, count: int) -> dict[str, Any]:
        """Wait for the report with this number, from 1, of a state."""
        await comes_true(lambda: len(self.statuses(state)) >= count)
        return self.statuses(state)[count - 1]

    async def text(self, path: str) -> str:
        """The body of the answer to a GET request, which must be 200."""
        status, body = await self.client.answer(path)
        assert status == 200, body
        return body

    async def says(self, path: str, text: str) -> None:
        """Wait until a GET request is answered with a text."""

        async def look() -> bool:
            return await self.client.answer(path) == (200, text)

        end = asyncio.get_running_loop().time() + SECONDS
        while not await look():
            assert asyncio.get_running_loop().time() < end, self.output
            await asyncio.sleep(0.02)


def children(pid: int) -> list[int]:
    """The ids of a process's children that run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                state, parent = folder.joinpath("stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(folder.name))
    return found
