"""The Functions host: an app with its HTTP front, its other triggers and, if asked for, workers."""

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, NoReturn

from bot_workbench.emulator.functions import host_rules
from bot_workbench.emulator.functions.configuration import HostConfiguration
from bot_workbench.emulator.functions.errors import HostError, IndexingError
from bot_workbench.emulator.functions.folder_snapshot import FolderSnapshot
from bot_workbench.emulator.functions.http_front import HttpFront
from bot_workbench.emulator.functions.key_access import KeyAccess
from bot_workbench.emulator.functions.options import HostOptions
from bot_workbench.emulator.functions.process_exit import ProcessExit
from bot_workbench.emulator.functions.server import FunctionsServer
from bot_workbench.emulator.functions.triggers.triggers import Listening, triggers_of
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker
from bot_workbench.emulator.recorder.recorder import start_recorder

LOG = logging.getLogger("bot_workbench.emulator.functions.host")

GRACE_SECONDS = 0.2
"""The time that running functions have to end when the host stops, without worker processes."""


async def serve(options: HostOptions, environ: Mapping[str, str]) -> NoReturn:
    """Serve the app until SIGINT or SIGTERM, then exit.

    Args:
        options: the command line.
        environ: this process's environment as it was before the app's settings were added.

    Raises:
        HostError: the host cannot start.
    """
    before = FolderSnapshot.take(options.app) if options.read_only else None
    process_exit = ProcessExit(before, is_patient=options.workers is not None)
    process_exit.handle_signals()
    if options.reload:
        await _serve_reloading(options, environ, process_exit)
        process_exit.exit()
    configuration = HostConfiguration.read(options.app, os.environ)
    if options.workers is None:
        await _serve_alone(options, configuration, process_exit)
    else:
        await _serve_with_workers(options.workers, options, configuration, process_exit)
    process_exit.exit()


async def _serve_alone(
    options: HostOptions, configuration: HostConfiguration, process_exit: ProcessExit
) -> None:
    """The host and its only worker are in this process."""
    worker = await _loaded_worker(options, configuration.route_prefix)
    server = FunctionsServer(worker, options.function_key, options.master_key)
    triggers = triggers_of(worker.functions, configuration, os.environ, worker.invoke)
    await _listen(server, options)
    for each in triggers:
        each.start()
    await _run(server, worker.functions, triggers, process_exit)


async def _serve_with_workers(
    size: int, options: HostOptions, configuration: HostConfiguration, process_exit: ProcessExit
) -> None:
    """The host is in this process, its workers are in others, which die by HostRules."""
    from bot_workbench.emulator.functions.host_admin import HostAdmin
    from bot_workbench.emulator.functions.workers.pool import WorkerPool

    rules, stop_host = host_rules.RULES, process_exit.requested.set
    pool = WorkerPool(size, options.worker_command(), stop_host, configuration, rules)
    admin = HostAdmin(pool, KeyAccess(options.function_key, options.master_key))
    front = HttpFront(admin.answer)
    await _listen(front, options)
    await _first(pool.start(), process_exit.requested.wait())
    triggers = triggers_of(pool.functions, configuration, os.environ, pool.invoke, stop_host)
    if not process_exit.requested.is_set():
        for each in triggers:
            each.start()
        admin.listening = triggers
        _announce(front, pool.functions)
        await process_exit.requested.wait()
    # Queue messages are taken as long as HTTP functions run: Azure's host stops in this order.
    await front.stop(rules.http_grace)
    await asyncio.gather(*(each.stop(rules.queue_grace) for each in triggers))
    await pool.stop()


async def _serve_reloading(
    options: HostOptions, environ: Mapping[str, str], process_exit: ProcessExit
) -> None:
    """The host is in this process, and a worker in another one, which is replaced at each save."""
    from bot_workbench.emulator.functions.reload.reloading_host import ReloadingHost

    host = ReloadingHost(options, environ)
    front = HttpFront(host.forward)
    await _listen(front, options)
    host.start()
    await _first(host.settled(), process_exit.requested.wait())
    await _run(front, host.functions, [host], process_exit)


async def _loaded_worker(options: HostOptions, route_prefix: str) -> FunctionsWorker:
    """A worker, without functions if the app has a fault: it is logged, and callers get 503."""
    worker = FunctionsWorker(options.app, route_prefix, start_recorder(os.environ))
    try:
        await (worker.specialize() if options.specialize else worker.load())
    except IndexingError as error:
        LOG.error("Every call is answered with 503: %s", error)  # noqa: TRY400 # the text is the trace
    return worker


async def _listen(front: HttpFront, options: HostOptions) -> None:
    """Listen at the port, or on the socket that the options name.

    Raises:
        HostError: the port is taken.
    """
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
    listening: Sequence[Listening],
    process_exit: ProcessExit,
) -> None:
    process_exit.handle_signals()  # again: the app may have set handlers, which Azure never calls
    _announce(front, functions)
    await process_exit.requested.wait()
    async with asyncio.TaskGroup() as group:
        group.create_task(front.stop(GRACE_SECONDS))
        for each in listening:
            group.create_task(each.stop(GRACE_SECONDS))


def _announce(front: HttpFront, functions: Sequence[Function]) -> None:
    names = ", ".join(function.name for function in functions)
    print(f"Functions host: {front.url} ({names or 'no functions: see the log'})", flush=True)


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is done; the others go on.

    Raises:
        Exception: what the first one raises.
    """
    tasks = [asyncio.create_task(work) for work in works]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
