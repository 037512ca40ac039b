"""WorkerProgram: what a worker process does, from its first command to its end."""

import asyncio
import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from azure_functions_runtime.logging import SDK_LOG_PREFIX

from bot_workbench.emulator.functions.configuration import HostConfiguration
from bot_workbench.emulator.functions.errors import HostError, IndexingError
from bot_workbench.emulator.functions.options import HostOptions
from bot_workbench.emulator.functions.reload.code_fault import fault_in, fault_of
from bot_workbench.emulator.functions.reload.code_folders import CodeFolders, is_installed
from bot_workbench.emulator.functions.server import FunctionsServer
from bot_workbench.emulator.functions.workers.invocation_server import InvocationServer
from bot_workbench.emulator.functions.workers.invocation_task import running
from bot_workbench.emulator.functions.workers.lifeline import Command, Lifeline, LifelineAddress
from bot_workbench.emulator.functions.workers.load_report import LoadReport
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker
from bot_workbench.emulator.recorder.recorder import start_recorder

LOG = logging.getLogger("bot_workbench.emulator.functions.workers.program")

APP = "function_app"
"""The module of the app, which is also the name of this project's logger there."""

CANCEL_SECONDS = 1.0
"""The time that functions that are cancelled have to clean up."""

LINGER_SECONDS = 1.0
"""The time that tasks that functions left behind have to finish."""

CLOSE_SECONDS = 5.0


class WorkerProgram:
    """Obeys its host, one command after the other: preload, load, answer, end.

    Args:
        options: the host's.
        fault: why the app cannot be loaded; empty: it may be.
    """

    def __init__(self, options: HostOptions, fault: str = "") -> None:
        self._options = options
        self._settings_fault = fault
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        # Now: when the app is specialized, its settings replace the environment.
        self._worker = FunctionsWorker(options.app, recorder=start_recorder(os.environ))
        self._servers: Sequence[FunctionsServer | InvocationServer] = ()

    async def run(self, address: LifelineAddress) -> NoReturn:
        """Do what the host asks for."""
        loop = asyncio.get_running_loop()
        try:
            lifeline = Lifeline(address)
        except OSError:
            sys.exit(1)  # the host is gone

        def obey(command: Command) -> None:
            loop.call_soon_threadsafe(self._commands.put_nowait, command)

        lifeline.watch(obey)
        while True:
            match await self._commands.get():
                case {"do": "preload", "modules": list(modules)}:
                    self._worker.prepare()
                    preload(modules)
                case {"do": "load"}:
                    importlib.invalidate_caches()  # a preload may have looked into the app's folder
                    report = await self._load()
                    lifeline.report(report.as_json())
                case {"do": "answer"}:
                    lifeline.report({})
                case {"do": "end", "seconds": seconds}:
                    await self._end(seconds)

    async def _load(self) -> LoadReport:
        options = self._options
        try:
            configuration = HostConfiguration.read(options.app, os.environ)
        except HostError as error:
            return LoadReport(0, 0, fault=str(error))
        self._worker.route_prefix = configuration.route_prefix
        fault = self._settings_fault or await self._fault()
        server = FunctionsServer(self._worker, options.function_key, options.master_key)
        invocations = InvocationServer(self._worker)
        self._servers = (server, invocations)
        for each in self._servers:
            await each.start()
        functions = self._worker.functions
        return LoadReport(server.port, invocations.port, functions, fault, installed_modules())

    async def _fault(self) -> str:
        """Load the app, and say why it cannot run; empty if it can, or if nobody asks yet."""
        folders = CodeFolders(self._options.app)
        logged = LoggedErrors()
        logging.getLogger(APP).addHandler(logged)
        if self._options.reload:
            logging.getLogger(SDK_LOG_PREFIX).addFilter(_is_no_error)
        try:
            await (self._worker.specialize() if self._options.specialize else self._worker.load())
            if not self._options.reload:
                return ""
            if logged.errors:
                return fault_of(logged.errors[0], folders)
            await _check_app()
        except IndexingError as error:
            if not self._options.reload:
                LOG.error("Every call is answered with 503: %s", error)  # noqa: TRY400 # the trace
            return fault_in(str(error), folders)
        except Exception as error:  # noqa: BLE001 # whatever the bot's own code raises
            return fault_of(error.__cause__ or error, folders)
        finally:
            logging.getLogger(APP).removeHandler(logged)
            logging.getLogger(SDK_LOG_PREFIX).removeFilter(_is_no_error)
        return ""

    async def _end(self, seconds: float | None) -> NoReturn:
        """Let functions run for a while, release what other processes wait for, and exit."""
        # The host waits for all that it has asked for, but not for functions that were run by hand.
        running = {task for server in self._servers for task in server.running}
        if running:
            _, running = await asyncio.wait(running, timeout=seconds)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=CANCEL_SECONDS)
        await asyncio.sleep(LINGER_SECONDS)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await _close_app()
        sys.stdout.flush()
        os._exit(0)


class LoggedErrors(logging.Handler):
    """Keeps the exceptions that are logged with their traceback."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's exception."""
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


def _is_no_error(record: logging.LogRecord) -> bool:
    """Whether a line is below ERROR: the load report has the errors."""
    return record.levelno < logging.ERROR


def preload(modules: Sequence[str]) -> None:
    """Import installed modules that the app will import; what fails is the app's to report."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def installed_modules() -> Sequence[str]:
    """The installed modules that this process has imported, in their order."""
    found = []
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if origin and is_installed(origin) and name != "__main__":
            found.append(name)
    return found


async def _check_app() -> None:
    """Wait until this project's app can run a turn; other apps are taken as they are.

    What the app holds for its first invocation is logged now, when its author has saved a file.

    Raises:
        Exception: it cannot; also whatever the bot's own code raises.
    """
    composition = _composition()
    if composition is not None:
        await composition.ready()
        await asyncio.create_task(_log_held_lines())


async def _log_held_lines() -> None:
    with running("load"), sys.modules[APP].invocation_log.invocation():
        pass


async def _close_app() -> None:
    """Have this project's app release its conversations' leases, if it has been loaded."""
    parts = getattr(_composition(), "parts", None)
    if parts is not None:
        await parts.close()


def _composition() -> Any:
    return getattr(sys.modules.get(APP), "composition", None)
