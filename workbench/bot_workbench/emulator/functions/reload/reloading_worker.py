"""ReloadingWorker: the worker process that answers, and its replacement when the code changes."""

import asyncio
import contextlib
import logging
import secrets
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bot_workbench.emulator.functions.errors import HostError, InvocationError
from bot_workbench.emulator.functions.http_front import HttpRequest, HttpResponse
from bot_workbench.emulator.functions.reload.code_fault import fault_in
from bot_workbench.emulator.functions.reload.code_folders import CodeFolders
from bot_workbench.emulator.functions.reload.code_watch import forget_bytecode
from bot_workbench.emulator.functions.reload.host_status import HostStatus
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.invocation_server import invocation
from bot_workbench.emulator.functions.workers.load_report import LoadReport
from bot_workbench.emulator.functions.workers.process import WorkerProcess, ending
from bot_workbench.emulator.functions.workers.protocol import TypedData
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream

LOG = logging.getLogger("bot_workbench.emulator.functions.reload")

PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8", "Retry-After": "1"}

LOAD_SECONDS = 30.0
"""The time limit of loading the code."""

OVERTAKEN_SECONDS = 2.0
"""The time for which a load may go on once newer code has been saved."""

ANSWER_SECONDS = 2.0
"""A retired worker whose event loop does not answer for so long is blocked, and ends at once."""

END_SECONDS = 10.0
"""The time in which a retired worker must release what it holds."""

MAX_RETIRED = 4
"""The number of workers with old code that may run; then the oldest ends."""

MIN_LIFE_SECONDS = 1.0
"""Code that ends its process sooner is not loaded again before."""


class WorkerLauncher:
    """Starts worker processes with the environment that the app has at that moment.

    Args:
        command: a worker's program.
        environ: returns a worker's environment.
    """

    def __init__(self, command: Sequence[str], environ: Callable[[], Mapping[str, str]]) -> None:
        self._command = command
        self._environ = environ
        self._launched = 0
        self._running: weakref.WeakSet[WorkerProcess] = weakref.WeakSet()

    async def launch(self, modules: Sequence[str]) -> WorkerProcess:
        """A worker that has not loaded the app, and imports installed modules meanwhile.

        Raises:
            HostError: it ended.
        """
        self._launched += 1
        worker = WorkerProcess(self._launched, self._command, self._environ())
        self._running.add(worker)
        await worker.spawn()
        worker.preload(modules)
        return worker

    async def kill(self) -> None:
        """End every worker at once."""
        await asyncio.gather(*(worker.kill() for worker in self._running))


class ReloadingWorker:
    """One worker answers. At each change of the code, a spare one loads it, and takes over.

    The old worker finishes what it runs, unless its event loop is blocked. If the new code does not
    load, the old code goes on answering; if there is none, callers get 503 until the next save.

    Args:
        folders: returns where the app's code is.
        launcher: starts the workers.
        status: is kept up to date.
        on_functions: called with the functions of the code that answers, before the first call.
        retirement_seconds: how long functions of the old code may go on running; None: a debugger
            may hold any function, and the load, as long as it likes.
    """

    def __init__(
        self,
        folders: Callable[[], CodeFolders],
        launcher: WorkerLauncher,
        status: HostStatus,
        on_functions: Callable[[Sequence[Function]], None],
        retirement_seconds: float | None,
    ) -> None:
        self._folders = folders
        self._launcher = launcher
        self._status = status
        self._on_functions = on_functions
        self._retirement_seconds = retirement_seconds
        self._current: WorkerProcess | None = None
        self._spare: asyncio.Task[WorkerProcess] | None = None
        self._modules: Sequence[str] = ()
        self._changed_files: set[Path] = set()
        self._changed_at = 0.0
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._fault = ""
        self._background: set[asyncio.Task[None]] = set()
        self._retired: list[WorkerProcess] = []

    def change(self, files: Sequence[Path]) -> None:
        """Note that files have changed: the code is loaded anew."""
        if not self._changed_files:
            self._changed_at = time.perf_counter()
        self._changed_files.update(files)
        self._changed.set()

    def discard_spare(self) -> None:
        """The environment has changed, so that the spare worker is of no use."""
        if self._spare is not None:
            self._in_background(_end(self._spare))
            self._spare = None

    async def run(self) -> None:
        """Load the code, and again at each change, for ever."""
        self._changed_at = time.perf_counter()
        while True:
            self._changed.clear()
            try:
                await self._load()
            except Exception:  # whatever it is: the next save is loaded all the same
                LOG.exception("The host failed to load the code")
                self.break_off("the host failed, as the log says")
            if not self._changed.is_set():
                self._settled.set()
            await self._changed.wait()

    async def settled(self) -> Literal[True]:
        """Wait until the code has been loaded, or does not load."""
        return await self._settled.wait()

    async def stop(self) -> None:
        """End every worker at once."""
        self._current = None  # its end is no surprise
        await self._launcher.kill()

    async def forward(self, request: HttpRequest) -> HttpResponse:
        """Let the worker answer; 503 while there is no code that loads, 500 if the worker ends."""
        try:
            answer = await self._send(lambda worker: worker.http, request)
        except ConnectionError:
            LOG.error("The worker ended during an HTTP request")  # noqa: TRY400 # its log has why
            return HttpResponse(500)
        if answer is None:
            return HttpResponse(503, PLAIN_TEXT, self._fault.encode())
        return answer

    async def invoke(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData]
    ) -> None:
        """Let the worker run a function on text or JSON.

        Raises:
            InvocationError: the function raised, the worker ended, or no code loads.
        """
        started, fault, turn = time.perf_counter(), "", secrets.token_hex(16)
        trace_parent = f"00-{turn}-{secrets.token_hex(8)}-01"  # as Azure's host makes one
        try:
            request = invocation(function.name, data, metadata, trace_parent)
            await self._invoke(function.name, request)
        except InvocationError as error:
            fault = fault_in(str(error), self._folders())
            raise
        finally:
            self._status.ran(function.name, turn, time.perf_counter() - started, fault)

    async def _invoke(self, name: str, request: HttpRequest) -> None:
        try:
            answer = await self._send(lambda worker: worker.invocations, request)
        except ConnectionError as error:
            raise InvocationError("the worker process ended during the invocation") from error
        if answer is None:
            raise InvocationError(self._fault)
        if answer.status != 200:
            raise InvocationError(answer.body.decode() or f"there is no function {name} any more")

    async def _send(
        self, upstream: Callable[[WorkerProcess], HttpUpstream], request: HttpRequest
    ) -> HttpResponse | None:
        """The answer of the worker; None: no code loads.

        Raises:
            ConnectionError: the worker ended, and may have received the request.
        """
        while (worker := await self._answering()) is not None:
            try:
                with worker.used():
                    return await upstream(worker).send(request)
            except ConnectionRefusedError:
                await worker.wait()  # it has not received the request: the next one gets it
        return None

    async def _answering(self) -> WorkerProcess | None:
        """The worker that answers; None: no code loads. Waits for a load, if there is neither."""
        if self._current is None and not self._fault:
            await self._settled.wait()
        return self._current

    async def _load(self) -> None:
        files, self._changed_files = sorted(self._changed_files), set()
        forget_bytecode(files)
        folders = self._folders()
        self._status.loading([folders.shown(file) for file in files], self._changed_at)
        try:
            worker = await self._spare_worker()
        except HostError as error:
            self.break_off(str(error))
            return
        try:
            report = await self._loaded(worker)
        except HostError as error:
            self._break_with(worker, str(error))
            return
        if report.fault:
            self._break_with(worker, report.fault)
        else:
            self._take_over(worker, report)
        self._spare = asyncio.create_task(self._launcher.launch(self._modules))

    async def _spare_worker(self) -> WorkerProcess:
        """Raises: HostError: it ended as soon as it had started."""
        spare, self._spare = self._spare, None
        if spare is not None:
            worker = await spare
            if worker.is_running:
                return worker
        return await self._launcher.launch(self._modules)

    async def _loaded(self, worker: WorkerProcess) -> LoadReport:
        """Raises: HostError: the worker has ended, or does not finish."""
        loading = asyncio.create_task(worker.load())
        overtaken = asyncio.create_task(self._changed.wait())
        longest = None if self._retirement_seconds is None else LOAD_SECONDS
        await asyncio.wait(
            {loading, overtaken}, timeout=longest, return_when=asyncio.FIRST_COMPLETED
        )
        if overtaken.done() and not loading.done():
            await asyncio.wait({loading}, timeout=OVERTAKEN_SECONDS)
        overtaken.cancel()
        if not loading.done():
            loading.cancel()
            raise HostError(f"The code does not finish loading within {LOAD_SECONDS:.0f} s")
        return loading.result()

    def _take_over(self, worker: WorkerProcess, report: LoadReport) -> None:
        old, self._current = self._current, worker
        self._modules = report.modules
        self._fault = ""
        self._on_functions(worker.functions)
        self._in_background(self._watch_end(worker))
        if old is not None:
            self._in_background(self._retire(old))
        self._settled.set()
        self._status.ready()

    def _break_with(self, worker: WorkerProcess, fault: str) -> None:
        self._in_background(worker.end(0))
        self.break_off(fault)

    def break_off(self, fault: str) -> None:
        """Note that the newest code cannot be loaded; the code before it goes on answering.

        Args:
            fault: why, in one line.
        """
        if self._changed.is_set():
            return  # half of a save, perhaps: newer code is loaded next
        self._fault = f"{fault}; fix and save"
        self._status.broken(fault)

    async def _retire(self, worker: WorkerProcess) -> None:
        """Let a worker finish what it runs, then end it."""
        self._retired.append(worker)
        if len(self._retired) > MAX_RETIRED and self._retirement_seconds is not None:
            self._in_background(self._retired.pop(0).end(END_SECONDS))
        if self._retirement_seconds is not None and not await worker.answers(ANSWER_SECONDS):
            LOG.warning("Worker %d, which has the old code, is blocked, and ends", worker.number)
            await worker.kill()
        started, left = time.monotonic(), self._retirement_seconds
        try:
            async with asyncio.timeout(left):
                await worker.unused()
            left = left and max(0.0, started + left - time.monotonic())
        except TimeoutError:
            left = 0.0
            LOG.warning(
                "What still runs with old code after %g s is cancelled", self._retirement_seconds
            )
        await worker.end(END_SECONDS, left)
        if worker in self._retired:
            self._retired.remove(worker)

    async def _watch_end(self, worker: WorkerProcess) -> None:
        """Load the code again if its process ends by itself; requests wait for that."""
        next_load = time.monotonic() + MIN_LIFE_SECONDS
        code = await worker.wait()
        if worker is not self._current:
            return
        LOG.warning("Worker %d ended (%s)", worker.number, ending(code))
        self._current = None
        self._settled.clear()
        await asyncio.sleep(next_load - time.monotonic())
        if self._current is None:
            self.change(())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _end(spare: "asyncio.Task[WorkerProcess]") -> None:
    with contextlib.suppress(HostError):
        await (await spare).end(0)
