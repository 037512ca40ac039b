"""WorkerPool: the worker processes of a host, kept running and used in turn."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from emulator.functions.http_front import HttpRequest, HttpResponse
from emulator.functions.route import HostError
from emulator.functions.workers.invocation_server import invocation
from emulator.functions.workers.process import WorkerProcess
from emulator.functions.workers.upstream import HttpUpstream
from emulator.functions.workers.worker import Function, InvocationError, TypedData

LOG = logging.getLogger("emulator.functions.workers.pool")

PATIENCE = 30.0
"""Seconds that a request waits for a worker while all of them start anew."""
PAUSE = 1.0
"""Seconds between two starts of a worker that does not even get ready."""


class NoWorkerError(Exception):
    """No worker got ready in time."""


class WorkerPool:
    """So many workers; one that ends is started anew at once.

    Args:
        size: how many.
        command: a worker's program, see WorkerProcess.
    """

    def __init__(self, size: int, command: Sequence[str]) -> None:
        self._command = command
        self._first = [WorkerProcess(number + 1, command) for number in range(size)]
        self._ready: deque[WorkerProcess] = deque()
        self._any_ready = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def functions(self) -> Sequence[Function]:
        """The app's functions, once it is started."""
        return self._first[0].functions

    async def start(self) -> None:
        """Start the workers, and wait until all are ready.

        Raises:
            HostError: one ended before it was.
        """
        await asyncio.gather(*(worker.start() for worker in self._first))
        for worker in self._first:
            self._join(worker)
            self._keepers.append(asyncio.create_task(self._keep(worker)))

    def stop(self) -> None:
        """End the workers, whatever they are doing."""
        for keeper in self._keepers:
            keeper.cancel()
        while self._ready:
            self._ready.pop().end()

    async def forward(self, request: HttpRequest) -> HttpResponse:
        """Let a worker answer; 500 when it ends over it, 503 when there is none for too long."""
        try:
            return await self._send(lambda worker: worker.http, request)
        except NoWorkerError:
            return HttpResponse(503)
        except ConnectionError:
            LOG.error("A worker ended over an HTTP request")  # noqa: TRY400 # its own log has why
            return HttpResponse(500)

    async def invoke(
        self, function: Function, text: str, metadata: Mapping[str, TypedData]
    ) -> None:
        """Let a worker run a function on a text.

        Raises:
            InvocationError: the function raised, or the worker ended over it.
        """
        request = invocation(function.name, text, metadata)
        try:
            answer = await self._send(lambda worker: worker.invocations, request)
        except NoWorkerError as error:
            raise InvocationError("no worker process got ready in time") from error
        except ConnectionError as error:
            raise InvocationError("the worker process ended over it") from error
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
                # It ended unnoticed so far, and before it got the request.
                self._leave(worker)

    async def _next(self) -> WorkerProcess:
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._ready:
                    await self._any_ready.wait()
        except TimeoutError as error:
            raise NoWorkerError from error
        self._ready.rotate(-1)
        return self._ready[-1]

    async def _keep(self, worker: WorkerProcess) -> None:
        while True:
            how = await worker.ended()
            self._leave(worker)
            LOG.warning("Worker %d ended (%s)", worker.number, how)
            worker = await self._restarted(worker.number)
            self._join(worker)

    async def _restarted(self, number: int) -> WorkerProcess:
        while True:
            worker = WorkerProcess(number, self._command)
            try:
                await worker.start()
            except HostError as error:
                LOG.error("%s", error)  # noqa: TRY400 # the worker's own log has the trace
                await asyncio.sleep(PAUSE)
            else:
                return worker

    def _join(self, worker: WorkerProcess) -> None:
        LOG.info("Worker %d started (pid %d)", worker.number, worker.pid)
        self._ready.append(worker)
        self._any_ready.set()

    def _leave(self, worker: WorkerProcess) -> None:
        if worker in self._ready:
            self._ready.remove(worker)
        if not self._ready:
            self._any_ready.clear()
