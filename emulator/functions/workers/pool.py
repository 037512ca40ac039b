"""WorkerPool: the worker processes of a host, used in turn and restarted when they end."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from emulator.functions.errors import HostError, InvocationError, NoWorkerError
from emulator.functions.http_front import HttpRequest, HttpResponse
from emulator.functions.workers.function import Function
from emulator.functions.workers.invocation_server import invocation
from emulator.functions.workers.process import WorkerProcess
from emulator.functions.workers.protocol import TypedData
from emulator.functions.workers.upstream import HttpUpstream

LOG = logging.getLogger("emulator.functions.workers.pool")

MAX_WAIT_SECONDS = 30.0
"""How long a request waits for a worker while all of them restart."""
RESTART_DELAY_SECONDS = 1.0
"""Between two starts of a worker that ends before it is ready."""


class WorkerPool:
    """A fixed number of workers; one that ends is restarted at once.

    Args:
        size: the number of workers.
        command: a worker's program, see WorkerProcess.
        max_wait_seconds: how long a request waits for a worker while none is ready.
        restart_delay_seconds: the delay before a worker that did not get ready is started again.
    """

    def __init__(
        self,
        size: int,
        command: Sequence[str],
        max_wait_seconds: float = MAX_WAIT_SECONDS,
        restart_delay_seconds: float = RESTART_DELAY_SECONDS,
    ) -> None:
        self._command = command
        self._max_wait_seconds = max_wait_seconds
        self._restart_delay_seconds = restart_delay_seconds
        self._first = [WorkerProcess(number + 1, command) for number in range(size)]
        self._ready: deque[WorkerProcess] = deque()
        self._any_ready = asyncio.Event()
        self._watches: list[asyncio.Task[None]] = []

    @property
    def functions(self) -> Sequence[Function]:
        """The app's functions, once it is started."""
        return self._first[0].functions

    async def start(self) -> None:
        """Start the workers, and wait until all are ready.

        Raises:
            HostError: one ended before it was ready.
        """
        await asyncio.gather(*(worker.start() for worker in self._first))
        for worker in self._first:
            self._add(worker)
            self._watches.append(asyncio.create_task(self._watch(worker)))

    def stop(self) -> None:
        """End the workers at once, even if functions run."""
        for watch in self._watches:
            watch.cancel()
        while self._ready:
            self._ready.pop().stop()

    async def forward(self, request: HttpRequest) -> HttpResponse:
        """Let a worker answer; 500 if it ends meanwhile, 503 if none is ready in time."""
        try:
            return await self._send(lambda worker: worker.http, request)
        except NoWorkerError:
            return HttpResponse(503)
        except ConnectionError:
            LOG.error("A worker ended during an HTTP request")  # noqa: TRY400 # its own log has why
            return HttpResponse(500)

    async def invoke(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData]
    ) -> None:
        """Let a worker run a function on text or JSON.

        Raises:
            InvocationError: the function raised, the worker ended, or none is ready in time.
        """
        request = invocation(function.name, data, metadata)
        try:
            answer = await self._send(lambda worker: worker.invocations, request)
        except NoWorkerError as error:
            raise InvocationError("no worker process is ready in time") from error
        except ConnectionError as error:
            raise InvocationError("the worker process ended during the invocation") from error
        if answer.status != 200:
            raise InvocationError(answer.body.decode())

    async def _send(
        self, upstream: Callable[[WorkerProcess], HttpUpstream], request: HttpRequest
    ) -> HttpResponse:
        while True:
            worker = await self._next()
            try:
                return await upstream(worker).send(request)
            except ConnectionRefusedError:
                # It has ended, which was not noticed yet; the request was not sent.
                self._remove(worker)

    async def _next(self) -> WorkerProcess:
        try:
            async with asyncio.timeout(self._max_wait_seconds):
                while not self._ready:
                    await self._any_ready.wait()
        except TimeoutError as error:
            raise NoWorkerError from error
        self._ready.rotate(-1)
        return self._ready[-1]

    async def _watch(self, worker: WorkerProcess) -> None:
        while True:
            how = await worker.wait()
            self._remove(worker)
            LOG.warning("Worker %d ended (%s)", worker.number, how)
            worker = await self._restarted(worker.number)
            self._add(worker)

    async def _restarted(self, number: int) -> WorkerProcess:
        while True:
            worker = WorkerProcess(number, self._command)
            try:
                await worker.start()
            except HostError as error:
                LOG.error("%s", error)  # noqa: TRY400 # the worker's own log has the trace
                await asyncio.sleep(self._restart_delay_seconds)
            else:
                return worker

    def _add(self, worker: WorkerProcess) -> None:
        LOG.info("Worker %d started (pid %d)", worker.number, worker.pid)
        self._ready.append(worker)
        self._any_ready.set()

    def _remove(self, worker: WorkerProcess) -> None:
        if worker in self._ready:
            self._ready.remove(worker)
        if not self._ready:
            self._any_ready.clear()
