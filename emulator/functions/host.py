"""FunctionsHost: the HTTP front of a function app on this machine, and the command that runs it."""

import argparse
import asyncio
import hmac
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, unquote

from emulator.cross_origin import has_loopback_host, is_cross_origin
from emulator.functions.folder_snapshot import FolderSnapshot
from emulator.functions.host_log import LOST, HostLog
from emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from emulator.functions.queues.settings import QueueSettings
from emulator.functions.route import HostError, Route
from emulator.functions.workers.worker import (
    Function,
    FunctionsWorker,
    IndexingError,
    InvocationError,
    Message,
    TypedData,
)
from emulator.loopback import LOOPBACK

if TYPE_CHECKING:
    from emulator.functions.queues.triggers import InvokeFunction, QueueTriggers

LOG = logging.getLogger("emulator.functions.host")
SECONDS_TO_END = 0.8
UVLOOP, ASYNCIO = "uvloop", "asyncio"
PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class FunctionsHost:
    """Serves the HTTP-triggered functions of a worker on loopback, as the Functions host does.

    What it passes to the functions and how it answers follows the source of the cloud's host
    (azure-functions-host: GrpcMessageConversionExtensions, FunctionInvocationMiddleware,
    HostAvailabilityCheckMiddleware). Requests run on the event loop that `start` was called on.

    Args:
        worker: a loaded one; without functions every call is answered 503.
        route_prefix: host.json's extensions.http.routePrefix.
        function_key: the key that calls of functions above the anonymous level must send, in the
            header x-functions-key or the query parameter `code`. None: no key is needed, as in
            Core Tools, but the Host header of such a call must name this machine. Requests from
            pages of other sites are always refused.

    Raises:
        HostError: a route has a form that this host does not know.
    """

    def __init__(
        self, worker: FunctionsWorker, route_prefix: str = "api", function_key: str | None = None
    ) -> None:
        self._worker = worker
        self._function_key = function_key
        # The cloud tries routes in the order of the functions' names, and the first match wins.
        http = [each for each in worker.functions if each.trigger["type"] == "httpTrigger"]
        by_name = sorted(http, key=lambda each: each.name.lower())
        self._routes = [Route(function, route_prefix) for function in by_name]
        self._route = lru_cache(maxsize=1024)(self._find_route)
        self._front = HttpFront(self._answer)
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens, once it is started."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://localhost:{self._port}"

    async def start(self, port: int = 0) -> None:
        """Listen on `port`; 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        self._port = await self._front.start(LOOPBACK, port)

    async def stop(self) -> None:
        """Close the socket and every connection; running calls get a moment to end."""
        await self._front.stop(SECONDS_TO_END / 4)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.target.partition("?")
        found = self._route(request.method, path)
        if found is None:
            return self._answer_without_function(path)
        route, params = found
        headers = request.headers
        if self._is_from_another_site(route, headers):
            return HttpResponse(403)
        fields = _query(query) if query else {}
        if route.needs_key and not self._has_key(headers, fields):
            return HttpResponse(401)
        http = Message(
            method=request.method,
            url=f"http://{headers.get('host', '')}{request.target}",
            headers=headers,
            query=fields,
            params=params,
            # Without a Content-Length it is absent, whatever follows the headers.
            body=TypedData(bytes=request.body) if "content-length" in headers else TypedData(),
        )
        return await self._invoke(route, http)

    async def _invoke(self, route: Route, http: Message) -> HttpResponse:
        started = time.perf_counter()
        name = route.function.name
        try:
            outputs = await self._worker.invoke(
                route.function, TypedData(http=http), None, http.headers.get("traceparent", "")
            )
        except InvocationError as error:
            LOG.error("%s failed: %s", name, error)  # noqa: TRY400 # the text is the trace
            return HttpResponse(500)
        response = _response(outputs.get(route.output))
        milliseconds = (time.perf_counter() - started) * 1000
        LOG.info("%s answered %d in %.1f ms", name, response.status, milliseconds)
        return response

    def _answer_without_function(self, path: str) -> HttpResponse:
        running = bool(self._worker.functions)
        if path == "/admin/host/status":
            state = json.dumps({"state": "Running" if running else "Error"})
            return HttpResponse(200, {"Content-Type": "application/json"}, state.encode())
        if not running:
            return HttpResponse(503, PLAIN_TEXT, b"Function host is not running.")
        if path == "/":
            return HttpResponse(200, PLAIN_TEXT, b"The Functions host is running.\n")
        return HttpResponse(404)

    def _find_route(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        # An encoded slash is not a separator: Kestrel leaves it encoded.
        decoded = unquote(path.replace("%2F", "%252F").replace("%2f", "%252f"))
        for route in self._routes:
            params = route.params(method, decoded)
            if params is not None:
                return route, params
        return None

    def _is_from_another_site(self, route: Route, headers: Mapping[str, str]) -> bool:
        # The channel may call through a tunnel, under the tunnel's name; it sends no Origin.
        is_open = route.needs_key and self._function_key is None
        if not (is_open or "origin" in headers):
            return False
        return is_cross_origin(headers) or not has_loopback_host(headers)

    def _has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        if self._function_key is None:
            return True
        key = headers.get("x-functions-key", query.get("code", ""))
        return hmac.compare_digest(key.encode(), self._function_key.encode())


def _query(query: str) -> dict[str, str]:
    """Repeated fields joined, empty ones left out."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(query):
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def _response(output: TypedData | None) -> HttpResponse:
    """A function without a result is answered 204, one that returns text 200."""
    if output is None:
        return HttpResponse(204)
    if output.WhichOneof("data") != "http":
        return HttpResponse(200, PLAIN_TEXT, output.string.encode())
    http = output.http
    return HttpResponse(int(http.status_code), http.headers, http.body.bytes)


def apply_settings(app_folder: Path, environ: MutableMapping[str, str]) -> None:
    """Make `environ` what Core Tools makes it for the app's process.

    Raises:
        HostError: local.settings.json cannot be used.
    """
    settings = _read_json(app_folder / "local.settings.json")
    if settings.get("IsEncrypted"):
        raise HostError("local.settings.json is encrypted: run `func settings decrypt` first.")
    for name, value in settings.get("Values", {}).items():
        environ.setdefault(name, value if isinstance(value, str) else json.dumps(value))
    environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    # With it the worker's library takes this machine for Linux Consumption.
    environ.pop("CONTAINER_NAME", None)


def route_prefix(app_folder: Path) -> str:
    """host.json's extensions.http.routePrefix; `api` when it has none.

    Raises:
        HostError: host.json cannot be read.
    """
    http = _read_json(app_folder / "host.json").get("extensions", {}).get("http", {})
    return str(http.get("routePrefix", "api"))


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise HostError(f"{path.name} is not JSON: {error}") from error
    return content


def _hide_own_folder() -> None:
    """Take this project's folder and the working folder off the import path: the cloud has neither.

    What is left finds the app's modules in the app's folder and nowhere else; the emulator finds
    its own by its package.
    """
    hidden = {Path(__file__).resolve().parents[2], Path.cwd()}
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() not in hidden]


def _end_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def end(_signal: int, _frame: object) -> None:
        # A function that blocks the loop keeps `stop` from being seen, not the process from ending.
        last_resort = threading.Timer(SECONDS_TO_END, os._exit, [0])
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _end_process(status: int) -> NoReturn:
    """Exit as Azure kills its workers: no exit handler runs, no log handler is flushed."""
    sys.stdout.flush()
    os._exit(status)


async def _serve(options: argparse.Namespace) -> NoReturn:
    stop = asyncio.Event()
    before = FolderSnapshot(options.app) if options.read_only else None
    if options.lifeline is not None:
        await _serve_as_worker(options)
    elif options.workers:
        _end_on_signals(stop)
        await _serve_with_workers(options, stop)
    else:
        _end_on_signals(stop)
        await _serve_alone(options, stop)
    _end_process(1 if before and _is_changed(before) else 0)


def _is_changed(before: FolderSnapshot) -> bool:
    changes = ", ".join(map(str, before.changes()))
    if changes:
        LOG.error("The app's folder is read-only in Azure, but was written to: %s", changes)
    return bool(changes)


async def _serve_alone(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Host and worker in this process."""
    worker = await _loaded_worker(options)

    async def invoke(function: Function, text: str, metadata: Mapping[str, TypedData]) -> None:
        await worker.invoke(function, TypedData(string=text), metadata)

    host = FunctionsHost(worker, route_prefix(options.app), options.function_key)
    triggers = _queue_triggers(worker.functions, options.app, invoke)
    await _listen(host.start, options.port)
    await _run(host.url, worker.functions, triggers, stop)
    await _stop(host.stop, triggers)


async def _serve_with_workers(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """The host in this process, workers in others."""
    from emulator.functions.workers.pool import WorkerPool

    pool = WorkerPool(options.workers, _worker_command(options))
    front = HttpFront(pool.forward)
    port = await _listen(lambda wanted: front.start(LOOPBACK, wanted), options.port)
    await pool.start()
    triggers = _queue_triggers(pool.functions, options.app, pool.invoke)
    await _run(f"http://localhost:{port}", pool.functions, triggers, stop)
    await _stop(lambda: front.stop(SECONDS_TO_END / 4), triggers)
    pool.stop()


async def _serve_as_worker(options: argparse.Namespace) -> None:
    """A worker for the host that holds the other end of the lifeline."""
    from emulator.functions.workers.invocation_server import InvocationServer
    from emulator.functions.workers.lifeline import Lifeline

    lifeline = Lifeline(options.lifeline)
    lifeline.watch()
    worker = await _loaded_worker(options)
    host = FunctionsHost(worker, route_prefix(options.app), options.function_key)
    await host.start()
    lifeline.report(
        {
            "http": host.port,
            "invocations": await InvocationServer(worker).start(),
            "functions": [asdict(function) for function in worker.functions],
        }
    )
    await asyncio.Event().wait()


def _worker_command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "emulator.functions.host", "--app", str(options.app)]
    if options.function_key is not None:
        command += ["--function-key", options.function_key]
    if options.specialise:
        command.append("--specialise")
    if options.lost_log is not None:
        command += ["--lost-log", str(options.lost_log)]
    return [*command, "--log-level", options.log_level, "--loop", options.loop]


async def _loaded_worker(options: argparse.Namespace) -> FunctionsWorker:
    """One without functions when the app has a fault: the log has it, and callers get 503."""
    worker = FunctionsWorker(options.app)
    try:
        await (worker.specialise() if options.specialise else worker.load())
    except IndexingError as error:
        LOG.error("The app has no functions. %s", error)  # noqa: TRY400 # the text is the trace
    return worker


def _queue_triggers(
    functions: Sequence[Function], app_folder: Path, invoke: "InvokeFunction"
) -> "QueueTriggers | None":
    """None: no function has a queue.

    Raises:
        HostError: host.json or the app's settings cannot be used.
    """
    settings = QueueSettings.of(_read_json(app_folder / "host.json"))
    if not any(each.trigger["type"] == "queueTrigger" for each in functions):
        return None
    # An app without queues shall not pay for the storage client, nor shall what is measured of it.
    from emulator.functions.queues.triggers import QueueTriggers

    return QueueTriggers(functions, settings, os.environ, invoke)


async def _listen[Result](start: Callable[[int], Awaitable[Result]], port: int) -> Result:
    """Raises: HostError: the port is taken."""
    try:
        return await start(port)
    except OSError as error:
        raise HostError(f"Port {port} is taken: choose another with --port.") from error


async def _run(
    url: str,
    functions: Sequence[Function],
    triggers: "QueueTriggers | None",
    stop: asyncio.Event,
) -> None:
    names = ", ".join(function.name for function in functions)
    print(f"Functions host: {url} ({names or 'no functions: see the log'})", flush=True)
    if triggers:
        triggers.start()
    _end_on_signals(stop)  # again: the app may have set handlers, which Azure never calls
    await stop.wait()


async def _stop(
    stop_http: Callable[[], Coroutine[Any, Any, None]], triggers: "QueueTriggers | None"
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(stop_http())
        if triggers:
            group.create_task(triggers.stop(SECONDS_TO_END / 4))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator.functions.host", description="Run a function app on this machine."
    )
    parser.add_argument("--app", type=Path, required=True, help="the folder of function_app.py")
    parser.add_argument("--port", type=int, default=7071, help="0: a free one (default: 7071)")
    parser.add_argument("--function-key", help="functions above anonymous need it; unset: open")
    parser.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="run the app in so many processes; unset: in the host's own",
    )
    parser.add_argument(
        "--specialise",
        action="store_true",
        help="start as on Flex Consumption: a running placeholder gets the app and its settings",
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="as in Azure, the app's folder is read-only: Python writes no .pyc files, and the "
        "host exits with 1 if anything in the folder changed",
    )
    parser.add_argument(
        "--lost-log",
        type=Path,
        metavar="FILE",
        help=f"append each line that is marked '{LOST}' to FILE, as a JSON object",
    )
    # A worker's host passes its end of the socket that ties them together.
    parser.add_argument("--lifeline", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )
    parser.add_argument(
        "--loop",
        default=ASYNCIO if sys.platform == "win32" else UVLOOP,
        choices=(UVLOOP, ASYNCIO),
        help="the event loop: uvloop, as in Azure, or asyncio's own, as with `func start` on "
        "Windows and macOS (default: uvloop; asyncio on Windows)",
    )
    options = parser.parse_args()
    if not options.app.is_dir():
        parser.error(f"--app: {options.app} is not a folder")
    options.app = options.app.resolve()  # specialisation changes the working directory
    return options


def _use_uvloop() -> None:
    """As Azure's worker does: loops that the app makes in threads use uvloop too."""
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def main() -> None:
    """The command: serves until SIGINT or SIGTERM.

    The exit status is 1 if the host cannot start, or if --read-only finds changes; otherwise 0.
    """
    options = _options()
    logging.basicConfig(handlers=[HostLog(options.lost_log)], level=options.log_level)
    try:
        apply_settings(options.app, os.environ)
        if options.read_only:
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for the workers and their subprocesses
        _hide_own_folder()
        if options.loop == UVLOOP:
            _use_uvloop()
        asyncio.run(_serve(options))
    except HostError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
