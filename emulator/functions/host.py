"""The Functions host: an app with its HTTP front, its other triggers and, if asked for, workers."""

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import asdict
from typing import NoReturn, Protocol

from emulator.functions.configuration import HostConfiguration
from emulator.functions.errors import HostError, IndexingError
from emulator.functions.folder_snapshot import FolderSnapshot
from emulator.functions.http_front import HttpFront
from emulator.functions.options import HostOptions
from emulator.functions.process_exit import ProcessExit
from emulator.functions.server import FunctionsServer
from emulator.functions.workers.function import Function, InvokeFunction
from emulator.functions.workers.worker import FunctionsWorker
from emulator.recorder.recorder import start_recorder

LOG = logging.getLogger("emulator.functions.host")

BINDINGS = ("http", "httpTrigger", "queueTrigger", "timerTrigger")
"""The kinds of bindings that this host supports."""

GRACE_SECONDS = 0.2
"""What runs when the host stops has this long to finish."""


class Triggers(Protocol):
    """The functions with one kind of trigger."""

    def start(self) -> None:
        """Start listening, on the running event loop."""

    async def stop(self, grace_seconds: float) -> None:
        """Stop listening; running functions have `grace_seconds` to finish."""


async def serve(options: HostOptions) -> NoReturn:
    """Serve the app until SIGINT or SIGTERM, then exit.

    Raises:
        HostError: the host cannot start.
    """
    configuration = HostConfiguration.read(options.app, os.environ)
    if options.lifeline is not None:
        await _serve_as_worker(options.lifeline, options, configuration)
    process_exit = ProcessExit(FolderSnapshot.take(options.app) if options.read_only else None)
    process_exit.handle_signals()
    if options.workers is None:
        await _serve_alone(options, configuration, process_exit)
    else:
        await _serve_with_workers(options.workers, options, configuration, process_exit)
    process_exit.exit()


async def _serve_alone(
    options: HostOptions, configuration: HostConfiguration, process_exit: ProcessExit
) -> None:
    """The host and its only worker are in this process."""
    worker = await _loaded_worker(options)
    server = FunctionsServer(worker, configuration.route_prefix, options.function_key)
    triggers = _triggers(worker.functions, configuration, worker.invoke)
    await _listen(server, options)
    await _run(server, worker.functions, triggers, process_exit)


async def _serve_with_workers(
    size: int, options: HostOptions, configuration: HostConfiguration, process_exit: ProcessExit
) -> None:
    """The host is in this process, its workers are in others."""
    from emulator.functions.workers.pool import WorkerPool

    pool = WorkerPool(size, options.worker_command())
    front = HttpFront(pool.forward)
    await _listen(front, options)
    await pool.start()
    triggers = _triggers(pool.functions, configuration, pool.invoke)
    await _run(front, pool.functions, triggers, process_exit)
    pool.stop()


async def _serve_as_worker(
    lifeline_descriptor: int, options: HostOptions, configuration: HostConfiguration
) -> NoReturn:
    """This process is a worker of the host at the other end of the lifeline."""
    from emulator.functions.workers.invocation_server import InvocationServer
    from emulator.functions.workers.lifeline import Lifeline

    lifeline = Lifeline(lifeline_descriptor)
    lifeline.watch()
    worker = await _loaded_worker(options)
    server = FunctionsServer(worker, configuration.route_prefix, options.function_key)
    invocations = InvocationServer(worker)
    await server.start()
    await invocations.start()
    lifeline.report(
        {
            "http": server.port,
            "invocations": invocations.port,
            "functions": [asdict(function) for function in worker.functions],
        }
    )
    while True:
        await asyncio.Event().wait()


async def _loaded_worker(options: HostOptions) -> FunctionsWorker:
    """A worker, without functions if the app has a fault: it is logged, and callers get 503."""
    start_recorder(os.environ)
    worker = FunctionsWorker(options.app)
    try:
        await (worker.specialize() if options.specialize else worker.load())
    except IndexingError as error:
        LOG.error("The app has no functions. %s", error)  # noqa: TRY400 # the text is the trace
    return worker


def _triggers(
    functions: Sequence[Function], configuration: HostConfiguration, invoke: InvokeFunction
) -> Sequence[Triggers]:
    """The triggers of all kinds but HTTP.

    Each kind is imported only for apps that use it, because its imports would add to the measured
    start times.

    Raises:
        HostError: the app's settings do not say which queue or storage a function has.
    """
    found: list[Triggers] = []
    functions = [function for function in functions if not _is_disabled(function)]
    kinds = {function.trigger["type"] for function in functions}
    if "queueTrigger" in kinds:
        from emulator.functions.queues.triggers import QueueTriggers

        found.append(QueueTriggers(functions, configuration.queues, os.environ, invoke))
    if "timerTrigger" in kinds:
        from emulator.functions.timers.triggers import TimerTriggers

        found.append(TimerTriggers(functions, os.environ, invoke))
    for function in functions:
        _warn_of_bindings(function)
    return found


def _is_disabled(function: Function) -> bool:
    """Whether a setting disables a function; HTTP calls reach it all the same.

    Source: JobHost's FunctionIndexer of the WebJobs SDK, and "How to disable functions".
    """
    names = (f"AzureWebJobs.{function.name}.Disabled", f"AzureWebJobs_{function.name}_Disabled")
    disabled = any(os.environ.get(name, "").lower() in ("1", "true") for name in names)
    if disabled:
        LOG.info("Function %s is disabled", function.name)
    return disabled


def _warn_of_bindings(function: Function) -> None:
    """Log the bindings that the function has in Azure but not here."""
    for binding in function.bindings:
        if binding["type"] in BINDINGS:
            continue
        if binding is function.trigger:
            LOG.warning(
                "Function %s is not triggered here, because this host has no %s."
                " POST /admin/functions/%s runs it.",
                *(function.name, binding["type"], function.name),
            )
        else:
            LOG.warning(
                "Function %s: its binding %s has no effect here, because this host has no %s.",
                *(function.name, binding["name"], binding["type"]),
            )


async def _listen(front: HttpFront, options: HostOptions) -> None:
    """Raises: HostError: the port is taken."""
    if options.listener is not None:
        await front.start(listening=socket.socket(fileno=options.listener))
        return
    try:
        await front.start(options.port)
    except OSError as error:
        raise HostError(f"Port {options.port} is taken: choose another with --port.") from error


async def _run(
    front: HttpFront,
    functions: Sequence[Function],
    triggers: Sequence[Triggers],
    process_exit: ProcessExit,
) -> None:
    process_exit.handle_signals()  # again: the app may have set handlers, which Azure never calls
    names = ", ".join(function.name for function in functions)
    print(f"Functions host: {front.url} ({names or 'no functions: see the log'})", flush=True)
    for each in triggers:
        each.start()
    await process_exit.requested.wait()
    async with asyncio.TaskGroup() as group:
        group.create_task(front.stop(GRACE_SECONDS))
        for each in triggers:
            group.create_task(each.stop(GRACE_SECONDS))
