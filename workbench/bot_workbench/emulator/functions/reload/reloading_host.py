"""The Functions host whose app may change while it runs."""

import asyncio
import contextlib
import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from bot_workbench.emulator.functions.configuration import HostConfiguration, apply_settings
from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.options import HostOptions
from bot_workbench.emulator.functions.reload.code_folders import SETTINGS_FILE, CodeFolders
from bot_workbench.emulator.functions.reload.code_watch import CodeWatch
from bot_workbench.emulator.functions.reload.host_status import HostStatus
from bot_workbench.emulator.functions.reload.kept_triggers import KeptTriggers
from bot_workbench.emulator.functions.reload.reloading_worker import ReloadingWorker, WorkerLauncher
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.setup.install_log import InstallLog
from bot_workbench.setup.requirements import CONSTRAINTS
from bot_workbench.setup.set_up import LOGS

LOG = logging.getLogger("bot_workbench.emulator.functions.reload")


class ReloadingHost:
    """Watches the app's code, and lets the newest that loads answer.

    Args:
        options: the host's.
        environ: the environment without the app's local.settings.json, which may change.
    """

    def __init__(self, options: HostOptions, environ: Mapping[str, str]) -> None:
        self._app = options.app
        self._base = environ
        self._environ = self._environment()
        self._status = HostStatus(environ)
        self._worker = ReloadingWorker(
            lambda: CodeFolders(options.app),
            WorkerLauncher(options.worker_command(), lambda: self._environ),
            self._status,
            self._listen,
            None if options.debug else options.retirement,
        )
        self._triggers = KeptTriggers(self._worker.invoke, options.retirement)
        self._install = shlex.split(options.install)
        self._installs = InstallLog(LOGS / "saved-requirements.log")
        self._installing: asyncio.Task[None] | None = None
        self._is_due = False
        self._saved: set[Path] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.functions: Sequence[Function] = ()
        """The functions of the code that answers."""
        self.forward = self._worker.forward
        """Answers an HTTP request."""

    def start(self) -> None:
        """Start to load the code, and to watch it."""
        self._status.starting()
        self._tasks = [asyncio.create_task(self._worker.run()), asyncio.create_task(self._watch())]

    async def settled(self) -> Literal[True]:
        """Wait until the code has been loaded, or does not load."""
        return await self._worker.settled()

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop listening; running functions have `grace_seconds` to finish; None: any time."""
        for task in (*self._tasks, *filter(None, [self._installing])):
            task.cancel()
        self._installs.kill()
        await self._triggers.stop(grace_seconds)
        await self._worker.stop()
        self._status.stopped()

    def _environment(self) -> dict[str, str]:
        found = dict(self._base)
        with contextlib.suppress(HostError):  # the worker reports it
            apply_settings(self._app, found)
        return found

    def _listen(self, functions: Sequence[Function]) -> None:
        self.functions = functions
        configuration = HostConfiguration.read(self._app, self._environ)
        self._triggers.change(functions, configuration, self._environ)

    async def _watch(self) -> None:
        try:
            await CodeWatch(self._app).run(self._changed)
        except (OSError, RuntimeError) as error:
            LOG.error(  # noqa: TRY400 # the text is all
                "Saves are no longer noticed, until you fix this and start again: %s", error
            )

    def _changed(self, files: Sequence[Path]) -> None:
        if any(file.name == SETTINGS_FILE for file in files):
            self._environ = self._environment()
            self._worker.discard_spare()
        requirements = CodeFolders(self._app).requirements
        listed = {requirements, requirements.with_name(CONSTRAINTS)}
        self._is_due |= bool(self._install) and not listed.isdisjoint(files)
        self._saved.update(files)
        if self._installing is None and self._is_due:
            self._installing = asyncio.create_task(self._install_and_load(requirements))
        elif self._installing is None:
            self._load()

    def _load(self) -> None:
        if self._saved:
            self._worker.change(sorted(self._saved))
            self._saved.clear()

    async def _install_and_load(self, requirements: Path) -> None:
        """Install the bot's packages, then load the code; the old code answers meanwhile."""
        shown, fault = CodeFolders(self._app).shown(requirements), ""
        while self._is_due:
            self._is_due = False
            print(f"Saved {shown}: installing its packages", flush=True)
            try:
                done = await asyncio.to_thread(self._installs.run, self._install)
                fault = "" if done else self._installs.reason()
            except OSError as error:  # its log cannot be written
                fault = str(error)
        self._installing = None
        if fault:
            self._worker.break_off(f"{shown}: {fault}")
            self._saved -= {requirements, requirements.with_name(CONSTRAINTS)}
        else:
            self._worker.discard_spare()  # it has imported what was installed before
        self._load()
