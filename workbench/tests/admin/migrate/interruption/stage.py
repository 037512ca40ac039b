"""Stage: a fresh local Azure in the state in which a command is run, to be interrupted or not."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot_workbench.admin.azure.clock import Clock
from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.interruption.cases import Case
from tests.admin.migrate.interruption.state import state_of
from tests.admin.migrate.interruption.wire import Wire, Write
from tests.admin.migrate.migration import Ended, Migration
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.talker import Talker
from tests.support.azure.writes import Interference
from tests.support.project import ROOT

SECONDS = 120
"""No command takes longer here."""


class Stage:
    """A migration right before a command.

    Args:
        migration: what it works on.
        case: the command, and what came before.
    """

    def __init__(self, migration: Migration, case: Case) -> None:
        self.migration = migration
        self.case = case
        self._pid = Future[int]()
        Wire(migration, recycled=case.recycled).listen()  # users talk to the new app
        for each in case.before:
            if callable(each):
                each(migration)
            else:
                self.run(each)

    def listen(
        self, at: int = 0, interfere: Interference | None = None, *, reads: bool = False
    ) -> list[Write]:
        """Count the writes (and reads) from now on, and interfere with one of them."""
        recycled = self.case.recycled
        wire = Wire(self.migration, at, interfere, recycled=recycled, reads=reads)
        self.migration.thread.call(wire.listen)
        return wire.writes

    def run(self, command: str = "") -> Ended:
        """Run a command to its end, in this process.

        Raises:
            AssertionError: its exit status is not 0.
        """
        ended = self.migration.run(*(command or self.case.command).split())
        assert ended.status == 0, f"{command or self.case.command}\n{ended.output}{ended.errors}"
        return ended

    def run_killed(self) -> int:
        """Run the command in a process of its own, to be killed; returns its status."""
        environ = {**os.environ, **self.migration.thread.azure.environ}
        words = [sys.executable, "-m", "bot_workbench", "migrate", *self.case.command.split()]
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._pid.set_result(process.pid)
        try:
            return process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()

    async def before_the_answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The write is done, and the command dies before it hears of it."""
        response = await handler(request)
        await self._kill()
        return response

    async def after_the_answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The write is done and answered; then the command dies."""
        response = await handler(request)
        await response.prepare(request)
        await response.write_eof()
        await self._kill()
        return response

    async def _kill(self) -> None:
        """End the process of `run_killed`, as a power failure would."""
        os.kill(await asyncio.wrap_future(self._pid), signal.SIGKILL)

    def state(self) -> dict[str, Any]:
        """How things stand."""
        return self.migration.thread.call(state_of, self.migration)

    @property
    def has_secret(self) -> bool:
        """Whether the app registration still has the bot's secret."""
        return bool(self.migration.old.registration.secrets)

    @property
    def serves(self) -> bool:
        """Whether the app behind the bot's endpoint takes a user's message."""
        return Talker(self.migration.thread, self.case.bot).say("hello").status == 200


@contextmanager
def stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, case: Case, clock: Clock | None = None
) -> Iterator[Stage]:
    """Start a local Azure, and bring it to where the command begins.

    Args:
        folder: for the local Azure; it is made.
        monkeypatch: sets the environment.
        case: the command.
        clock: of the commands that run in this process; None: the machine's.
    """
    folder.mkdir(parents=True)
    with monkeypatch.context() as patch, AzureThread(folder) as thread:
        thread.set_environment(patch)
        yield Stage(Migration(thread, clock=clock), case)
