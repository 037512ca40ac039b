"""WorkerPool: the worker processes of a host, used in turn and replaced when they die."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bot_workbench.emulator.functions.configuration import HostConfiguration
from bot_workbench.emulator.functions.errors import HostError, InvocationError
from bot_workbench.emulator.functions.host_rules import RULES, HostRules
from bot_workbench.emulator.functions.http_front import HttpRequest, HttpResponse
from bot_workbench.emulator.functions.route import Route
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.invocation_server import invocation
from bot_workbench.emulator.functions.workers.process import WorkerProcess, ending
from bot_workbench.emulator.functions.workers.protocol import TypedData
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream

LOG = logging.getLogger("bot_workbench.emulator.functions.workers.pool")

UNNOTICED_EXIT = 0
"""The exit code of a worker that the host does not replace: it goes on giving it calls."""
INTENTIONAL_RESTART = 200
"""The exit code of a worker that is replaced without a word to its calls."""

EXHAUSTED = (
    "Exceeded language worker restart retry count for runtime:python."
    " Shutting down and proactively recycling the Functions Host to recover"
)
NEVER_READY = (
    "Final functionDispatcher state: WorkerProcessRestarting."
    " Initialization timed out and host is shutting down"
)


@dataclass(eq=False)
class Channel:
    """A worker that the host believes to be there, until it replaces it.

    Attributes:
        worker: the process.
        failed: set when its calls are to fail. Those of a worker that ended without it, as with
            exit code 0, or was killed for another call's timeout, wait for their own timeout.
    """

    worker: WorkerProcess
    failed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Call:
    """One call of a function.

    Attributes:
        channel: who has it; None: it waits for a worker.
    """

    channel: Channel | None = None


class WorkerPool:
    """A number of workers, which live and die by the host's rules: see HostRules.

    Args:
        size: the number of workers.
        command: a worker's program, see WorkerProcess.
        stop_host: ends the host; called when the workers have died too often.
        configuration: host.json's.
        rules: the host's.
    """

    def __init__(
        self,
        size: int,
        command: Sequence[str],
        stop_host: Callable[[], None],
        configuration: HostConfiguration,
        rules: HostRules = RULES,
    ) -> None:
        self.functions: Sequence[Function] = ()
        """The app's functions, once it is started."""
        self.outstanding = 0
        """The number of functions that run, or wait for a worker."""
        self._size = size
        self._command = command
        self._stop_host = stop_host
        self._configuration = configuration
        self._rules = rules
        self._max_deaths = rules.deaths * size
        self._deaths: list[float] = []
        self._channels: set[Channel] = set()
        self._ready: deque[Channel] = deque()
        self._any_ready = asyncio.Event()
        self._started = asyncio.Event()
        self._replacing = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the workers, and wait until one is ready and each of them has been started."""
        await asyncio.gather(*(self._start(number + 1) for number in range(self._size)))
        await self._any_ready.wait()
        self._started.set()

    async def stop(self) -> None:
        """End the workers at once, even if functions run."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for channel in self._channels:
            await channel.worker.kill()
            channel.worker.stop()

    async def forward(self, request: HttpRequest) -> HttpResponse:
        """Let a worker answer; 500 if the call fails, 503 if the host takes too long to start."""
        try:
            async with asyncio.timeout(self._rules.start):
                await self._started.wait()
        except TimeoutError:
            return HttpResponse(503)
        try:
            return await self._call(lambda: self._name(request), lambda each: each.http, request)
        except InvocationError as error:
            LOG.error("%s failed: %s", self._name(request), error)  # noqa: TRY400 # its own log has why
            return HttpResponse(500)

    async def invoke(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData]
    ) -> None:
        """Let a worker run a function on text, bytes or JSON.

        Raises:
            InvocationError: the function raised or ran for too long, or its worker died.
        """
        request = invocation(function.name, data, metadata)
        answer = await self._call(lambda: function.name, lambda each: each.invocations, request)
        if answer.status != 200:
            raise InvocationError(answer.body.decode())

    async def _call(
        self,
        name: Callable[[], str],
        upstream: Callable[[WorkerProcess], HttpUpstream],
        request: HttpRequest,
    ) -> HttpResponse:
        """Send a request to a worker, and return its answer.

        Raises:
            InvocationError: there is no answer.
        """
        call = Call()
        sending = asyncio.create_task(self._send(call, upstream, request))
        self.outstanding += 1
        try:
            done, _ = await asyncio.wait({sending}, timeout=self._configuration.function_timeout)
            if done:
                return sending.result()
            raise await self._timed_out(name(), call, sending)
        finally:
            self.outstanding -= 1
            if not (sending.cancel() or sending.cancelled()):
                sending.exception()  # asyncio would log one that nobody has looked at

    async def _send(
        self,
        call: Call,
        upstream: Callable[[WorkerProcess], HttpUpstream],
        request: HttpRequest,
    ) -> HttpResponse:
        while True:
            call.channel = channel = await self._next()
            try:
                if channel.worker.is_running:
                    return await upstream(channel.worker).send(request)
                await channel.failed.wait()
            except ConnectionRefusedError:
                # It has ended, which was not noticed yet; the request was not sent.
                await channel.failed.wait()
            except ConnectionAbortedError as error:
                raise InvocationError(str(error)) from error
            except ConnectionError as error:
                await channel.failed.wait()
                raise InvocationError("the worker process ended during the invocation") from error

    async def _next(self) -> Channel:
        """The next worker that is ready.

        Raises:
            InvocationError: none gets ready in time, so that the host ends.
        """
        try:
            async with asyncio.timeout((self._max_deaths + 1) * self._rules.initialization):
                while not self._ready:
                    await self._any_ready.wait()
        except TimeoutError as error:
            LOG.error(NEVER_READY)  # noqa: TRY400 # the workers' own log has why
            self._stop_host()
            raise InvocationError("there is no worker process") from error
        self._ready.rotate(-1)
        return self._ready[-1]

    async def _timed_out(
        self, name: str, call: Call, sending: asyncio.Task[HttpResponse]
    ) -> InvocationError:
        """Replace the worker of a call that takes too long; returns the call's error.

        It is no death. The worker's other calls wait for their own timeout. As in Azure's host, the
        call itself fails only when the next restart would be allowed: the invocation waits for
        DisposeAndRestartWorkerChannel, which waits for that.
        """
        timeout = _time_span(self._configuration.function_timeout or 0)
        LOG.error(
            "Timeout value of %s exceeded by function 'Functions.%s'. Initiating cancellation.",
            *(timeout, name),
        )
        done, _ = await asyncio.wait({sending}, timeout=self._rules.timeout_grace)
        if not done and call.channel in self._channels:
            LOG.warning(
                "A function timeout has occurred. Restarting worker process executing '%s'.", name
            )
            await self._replace(call.channel)
            LOG.warning("Restart of language worker process(es) completed.")
        return InvocationError(f"Timeout value of {timeout} was exceeded by function: {name}")

    async def _start(self, number: int) -> None:
        channel = Channel(WorkerProcess(number, self._command))
        self._channels.add(channel)
        try:
            await channel.worker.start()
        except HostError as error:
            LOG.error("%s", error)  # noqa: TRY400 # the worker's own log has the trace
            self._in_background(self._die(channel))
            return
        LOG.info("Worker %d started (pid %d)", number, channel.worker.pid)
        self.functions = channel.worker.functions
        self._ready.append(channel)
        self._any_ready.set()
        self._in_background(self._watch(channel))

    async def _watch(self, channel: Channel) -> None:
        code = await channel.worker.wait()
        if channel not in self._channels or code == UNNOTICED_EXIT:
            return
        LOG.warning("Worker %d ended (%s)", channel.worker.number, ending(code))
        if code == INTENTIONAL_RESTART:
            await self._replace(channel)
        else:
            await self._die(channel)

    async def _die(self, channel: Channel) -> None:
        now = asyncio.get_running_loop().time()
        if self._deaths and now - self._deaths[-1] > self._rules.death_interval:
            self._deaths.clear()
        self._deaths.append(now)
        channel.failed.set()
        await self._replace(channel)

    async def _replace(self, channel: Channel) -> None:
        """Kill a worker that is in the pool, and start another one when its turn has come."""
        self._channels.discard(channel)
        if channel in self._ready:
            self._ready.remove(channel)
        if not self._ready:
            self._any_ready.clear()
        await channel.worker.kill()
        channel.worker.stop()
        if len(self._deaths) < self._max_deaths:
            async with self._replacing:
                await self._start(channel.worker.number)
                await asyncio.sleep(self._rules.restart_interval)
        elif not self._channels:
            LOG.error(EXHAUSTED)
            self._stop_host()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _name(self, request: HttpRequest) -> str:
        """The name of the function that a request calls; its path if there is none."""
        path = request.target.partition("?")[0]
        found = (each for each in self._routes if each.params(request.method, path) is not None)
        return next((route.function.name for route in found), path)

    @cached_property
    def _routes(self) -> Sequence[Route]:
        prefix = self._configuration.route_prefix
        return [Route(function, prefix) for function in self.functions if function.is_http]


def _time_span(seconds: float) -> str:
    """Seconds as .NET writes a time span, `hh:mm:ss`; fractions are left out."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}"
