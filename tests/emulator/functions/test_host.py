"""The Functions host: what it passes to a function app, what it makes of the answers."""

import asyncio
import base64
import gzip
import hashlib
import io
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from multidict import CIMultiDict

from emulator.functions.host import (
    FunctionsHost,
    _options,
    apply_settings,
    route_prefix,
)
from emulator.functions.route import HostError, Route
from emulator.functions.workers.worker import (
    Function,
    FunctionsWorker,
    IndexingError,
    InvocationError,
    TypedData,
)
from tests.support.timing import event_loops

ROOT = Path(__file__).parents[3]
KEY = "a-key-for-tests"
SECONDS = 10
"""No wait of a test is longer."""
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"

APP = """
import asyncio
import atexit
import base64
import json
import os
import sys
import threading
import time

import azure.functions as func

from more import more

LOOP = asyncio.get_running_loop()
atexit.register(print, "an exit handler ran")
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(more)


@app.route(route="echo/{first?}/{second?}", methods=["POST", "GET"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = req.get_body()
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "params": dict(req.route_params),
        "type": type(body).__name__,
        "body": base64.b64encode(body).decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route()
def unrouted(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(threading.current_thread().name)


async def loop_of_a_thread():
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@app.route(route="surroundings")
async def surroundings(req: func.HttpRequest) -> func.HttpResponse:
    import colorsys
    seen = {
        "path": sys.path,
        "colorsys": colorsys.__file__,
        "same_loop": LOOP is asyncio.get_running_loop(),
        "loop": type(LOOP).__module__.partition(".")[0],
        "loop_of_a_thread": await asyncio.to_thread(asyncio.run, loop_of_a_thread()),
        "environ": dict(os.environ),
    }
    return func.HttpResponse(json.dumps(seen))


@app.route(route="raises")
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("what the app says of it")


@app.route(route="none")
async def none(req: func.HttpRequest) -> func.HttpResponse:
    return None


@app.route(route="text")
async def text(req: func.HttpRequest) -> str:
    return "gr\\u00fc\\u00df dich"


@app.route(route="created")
async def created(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Location": "/api/text", "Content-Type": "image/png"}
    return func.HttpResponse(bytes(range(256)), status_code=201, headers=headers)


@app.route(route="by-parameter", binding_arg_name="answer")
async def by_parameter(req: func.HttpRequest, answer: func.Out[func.HttpResponse]) -> None:
    if req.params.get("answer"):
        answer.set(func.HttpResponse("set", status_code=202))


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


@app.route(route="administered", auth_level=func.AuthLevel.ADMIN)
async def administered(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


@app.route(route="lasting", methods=["POST"])
async def lasting(req: func.HttpRequest) -> func.HttpResponse:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(req.get_body()))
    writer.write(b"started\\n")
    await reader.readline()
    writer.write(b"finished\\n")
    await writer.drain()
    writer.close()
    return func.HttpResponse("nobody reads this")


@app.route(route="blocks", methods=["POST"])
async def blocks(req: func.HttpRequest) -> func.HttpResponse:
    print("blocked", flush=True)
    time.sleep(60)


@app.route(route="blocks-in-a-thread", methods=["POST"])
def blocks_in_a_thread(req: func.HttpRequest) -> func.HttpResponse:
    print("blocked", flush=True)
    time.sleep(60)
"""

MORE = """
import azure.functions as func

more = func.Blueprint()


@more.route(route="from-a-blueprint", auth_level=func.AuthLevel.ANONYMOUS)
def blueprint(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("blueprint")
"""

SETTINGS = {
    "IsEncrypted": False,
    "Values": {"FromFile": "file", "FromBoth": "file", "CONTAINER_NAME": "file", "Number": 3},
}


@dataclass
class RunningHost:
    """The command, running.

    Attributes:
        ready: the first line of stdout; empty when the process ended before it.
    """

    process: subprocess.Popen[str]
    log_file: Path
    ready: str = ""

    @property
    def url(self) -> str:
        """The base URL in the ready line."""
        return self.ready.split()[2]

    @property
    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self.log_file.read_text()

    def next_line(self) -> str:
        """The next line of stdout."""
        assert self.process.stdout
        assert select.select([self.process.stdout], [], [], SECONDS)[0], "no line"
        return self.process.stdout.readline()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=SECONDS)


@contextmanager
def running(
    folder: Path, *options: str, environ: dict[str, str] | None = None
) -> Iterator[RunningHost]:
    """The command on an app folder, started in the project's folder as `make run` does."""
    command = [sys.executable, "-m", "emulator.functions.host", "--app", str(folder), "--port", "0"]
    command += ["--loop", event_loops.usual]
    log_file = folder / "stderr.log"
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}
    environ.pop("AZURE_FUNCTIONS_ENVIRONMENT", None)
    with (
        log_file.open("w") as log,
        subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        host = RunningHost(process, log_file)
        try:
            host.ready = host.next_line()
            yield host
        finally:
            process.kill()


def write_app(folder: Path, source: str = APP) -> Path:
    """An app folder with one module that is named like one of Python's own."""
    (folder / "function_app.py").write_text(source)
    (folder / "more.py").write_text(MORE)
    (folder / "colorsys.py").write_text("")
    return folder


@pytest.fixture(scope="module", params=[[], ["--workers", "2"]], ids=["alone", "workers"])
def host(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[RunningHost]:
    """One host for the tests that only call it; it asks for a function key.

    A caller cannot tell whether the functions are in the host's process or in others.
    """
    folder = write_app(tmp_path_factory.mktemp("app"))
    (folder / "local.settings.json").write_text(json.dumps(SETTINGS))
    environ = {
        "FromBoth": "environment",
        "CONTAINER_NAME": "environment",
        "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
    }
    with running(folder, "--function-key", KEY, *request.param, environ=environ) as started:
        yield started


@pytest.fixture
async def session(host: RunningHost) -> AsyncIterator[ClientSession]:
    """A client of that host."""
    async with ClientSession(host.url) as client:
        yield client


async def echoed(session: ClientSession, path: str = "/api/echo", **request: Any) -> dict[str, Any]:
    """What the echo function saw of a POST request."""
    async with asyncio.timeout(SECONDS), session.post(path, **request) as response:
        assert response.status == 200
        seen: dict[str, Any] = await response.json()
        return seen


async def answer(session: ClientSession, method: str, path: str, **request: Any) -> tuple[int, str]:
    """Status and body."""
    async with asyncio.timeout(SECONDS), session.request(method, path, **request) as response:
        return response.status, await response.text()


# What a function gets


async def test_header_names_are_lower_cased_and_repeated_ones_joined(
    session: ClientSession,
) -> None:
    """A function sees each header once, by its lower-case name, values joined with a comma."""
    sent = CIMultiDict([("X-Mixed-Case", "a"), ("X-Twice", "1"), ("X-Twice", "2"), ("X-Empty", "")])
    headers = (await echoed(session, headers=sent))["headers"]
    assert headers["x-mixed-case"] == "a"
    assert headers["x-twice"] == "1,2"
    assert headers["x-empty"] == ""
    assert "X-Mixed-Case" not in headers


async def test_query_is_decoded_joined_and_without_empty_values(session: ClientSession) -> None:
    """Query values arrive decoded; repeated fields are joined with a comma, empty ones dropped."""
    seen = await echoed(session, "/api/echo?a=1&b=&a=2&c&d=%C3%BC+x")
    assert seen["query"] == {"a": "1,2", "d": "\u00fc x"}


async def test_url_and_method_are_those_of_the_request(
    session: ClientSession, host: RunningHost
) -> None:
    """The function sees the URL as it was called, query and encoding included."""
    seen = await echoed(session, "/api/echo/a%20b?c=d")
    assert seen["url"] == f"{host.url}/api/echo/a%20b?c=d"
    assert seen["method"] == "POST"


async def test_route_parameters_are_decoded_and_absent_ones_left_out(
    session: ClientSession,
) -> None:
    """Optional route parameters that the path lacks are not in the parameters."""
    assert (await echoed(session))["params"] == {}
    assert (await echoed(session, "/api/echo/%C3%BC"))["params"] == {"first": "\u00fc"}
    assert (await echoed(session, "/api/echo/a/b"))["params"] == {"first": "a", "second": "b"}


BODIES = {
    "empty": b"",
    "json": b'{"a": 1}',
    "non-ascii": "gr\u00fc\u00df \U0001f600".encode(),
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_body_is_always_bytes(session: ClientSession, body: bytes) -> None:
    """Whatever its content and type, the body arrives as the bytes that were sent."""
    seen = await echoed(session, data=body, headers={"Content-Type": "application/json"})
    assert seen["type"] == "bytes"
    assert base64.b64decode(seen["body"]) == body


async def test_large_body_is_not_capped(session: ClientSession) -> None:
    """A body of many megabytes reaches the function: the limit is the app's affair."""
    body = os.urandom(8 * 1024 * 1024)
    seen = await echoed(session, data=io.BytesIO(body))
    received = hashlib.sha256(base64.b64decode(seen["body"])).digest()
    assert received == hashlib.sha256(body).digest()


async def test_body_without_content_length_is_dropped(session: ClientSession) -> None:
    """A chunked body does not reach the function, and the connection stays usable."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"never "
        yield b"seen"

    seen = await echoed(session, data=chunks())
    assert "content-length" not in seen["headers"]
    assert seen["body"] == ""
    assert (await echoed(session, data=b"next"))["body"] == base64.b64encode(b"next").decode()


async def test_compressed_body_is_passed_on_as_sent(session: ClientSession) -> None:
    """The host does not unpack a body."""
    body = gzip.compress(b"packed")
    seen = await echoed(session, data=body, headers={"Content-Encoding": "gzip"})
    assert base64.b64decode(seen["body"]) == body


async def test_client_that_awaits_100_continue_is_told_so(session: ClientSession) -> None:
    """A client that waits for `100 Continue` before the body gets it."""
    seen = await echoed(session, data=b"asked first", expect100=True)
    assert base64.b64decode(seen["body"]) == b"asked first"


async def test_app_folder_is_last_on_the_import_path(
    session: ClientSession, host: RunningHost
) -> None:
    """An app's module named like an installed one loses; the host's own folder is not there."""
    _, text = await answer(session, "GET", "/api/surroundings")
    seen = json.loads(text)
    folder = str(host.log_file.parent)
    assert seen["path"][-1] == folder
    assert seen["path"].count(folder) == 1
    assert not Path(seen["colorsys"]).is_relative_to(folder)
    assert str(ROOT) not in seen["path"]
    assert "" not in seen["path"]


async def test_app_is_imported_while_the_loop_of_its_functions_runs(
    session: ClientSession,
) -> None:
    """The module's import and async functions share one running event loop."""
    _, text = await answer(session, "GET", "/api/surroundings")
    assert json.loads(text)["same_loop"] is True


async def test_environment_of_the_app(session: ClientSession) -> None:
    """local.settings.json's values are in the environment, which wins; CONTAINER_NAME is not."""
    _, text = await answer(session, "GET", "/api/surroundings")
    environ = json.loads(text)["environ"]
    assert environ["FromFile"] == "file"
    assert environ["FromBoth"] == "environment"
    assert environ["Number"] == "3"
    assert environ["AZURE_FUNCTIONS_ENVIRONMENT"] == "Development"
    assert "CONTAINER_NAME" not in environ


async def test_client_that_disconnects_does_not_cancel_the_function(host: RunningHost) -> None:
    """The function runs to its end although nobody waits for the answer."""
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()

    async def witness(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.put_nowait(await reader.readline())
        await gone.wait()
        writer.write(b"go on\n")
        lines.put_nowait(await reader.readline())
        writer.close()

    async with (
        await asyncio.start_server(witness, "127.0.0.1", 0) as server,
        asyncio.timeout(SECONDS),
    ):
        port = server.sockets[0].getsockname()[1]
        async with ClientSession(host.url) as session:
            call = asyncio.create_task(session.post("/api/lasting", data=str(port)))
            assert await lines.get() == b"started\n"
            call.cancel()
        gone.set()
        assert await lines.get() == b"finished\n"


# What the caller gets


async def test_functions_of_all_kinds_answer(session: ClientSession) -> None:
    """Async and sync functions, a blueprint's, one without a route: all are served."""
    assert await answer(session, "GET", "/api/from-a-blueprint") == (200, "blueprint")
    status, thread = await answer(session, "GET", "/api/unrouted")
    assert status == 200
    assert thread != "MainThread"


async def test_response_keeps_status_headers_and_bytes(session: ClientSession) -> None:
    """Status, headers, content type and a binary body arrive as the function set them."""
    async with session.get("/api/created") as response:
        assert response.status == 201
        assert response.headers["Location"] == "/api/text"
        assert response.content_type == "image/png"
        assert await response.read() == bytes(range(256))


async def test_returned_text_is_plain_text(session: ClientSession) -> None:
    """A function that returns a str answers 200 with it, UTF-8."""
    async with session.get("/api/text") as response:
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert await response.text() == "gr\u00fc\u00df dich"


async def test_response_set_on_an_output_parameter(session: ClientSession) -> None:
    """A response may be set on a parameter; one that is not set makes 204."""
    assert await answer(session, "GET", "/api/by-parameter?answer=1") == (202, "set")
    assert await answer(session, "GET", "/api/by-parameter") == (204, "")


@pytest.mark.parametrize("path", ["/api/raises", "/api/none"])
async def test_failed_function_is_500_with_an_empty_body(session: ClientSession, path: str) -> None:
    """A function that raises or returns None answers 500 and tells the caller nothing."""
    assert await answer(session, "GET", path) == (500, "")


async def test_failure_is_logged_with_its_trace(session: ClientSession, host: RunningHost) -> None:
    """The log has the exception, its text and the app's line."""
    await answer(session, "GET", "/api/raises")
    assert "ERROR emulator.functions.host: raises failed: Traceback" in host.log
    assert "LookupError: what the app says of it" in host.log
    assert "function_app.py" in host.log


UNKNOWN = [
    ("PUT", "/api/echo"),
    ("GET", "/api/lasting"),
    ("GET", "/api/nothing"),
    ("GET", "/echo"),
    ("GET", "/api"),
]


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
async def test_unknown_path_or_wrong_method_is_404(
    session: ClientSession, method: str, path: str
) -> None:
    """A wrong method is as unknown as a wrong path."""
    assert await answer(session, method, path) == (404, "")


@asynccontextmanager
async def raw_connection(
    host: RunningHost, request: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which these bytes were sent, as no HTTP client would."""
    port = int(host.url.rpartition(":")[2])
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(request)
        yield reader, writer
        writer.close()
        await writer.wait_closed()


async def test_header_that_is_not_utf_8_is_400(host: RunningHost) -> None:
    """Bytes that no function could read as text are refused before it."""
    request = b"GET /api/text HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\r\n\r\n"
    async with raw_connection(host, request) as (reader, _):
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


async def test_caller_that_leaves_amid_its_body_is_no_fault(
    session: ClientSession, host: RunningHost
) -> None:
    """A body that breaks off reaches no function and leaves no trace in the log."""
    request = b"POST /api/blocks HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nonly"
    async with raw_connection(host, request) as (reader, writer):
        writer.write_eof()
        await reader.read()
    assert (await answer(session, "GET", "/api/text"))[0] == 200
    assert "ConnectionResetError" not in host.log


async def test_front_page_is_one_line(session: ClientSession) -> None:
    """GET / tells that the host runs."""
    status, text = await answer(session, "GET", "/")
    assert status == 200
    assert len(text.splitlines()) == 1


async def test_host_status_is_running(session: ClientSession) -> None:
    """The status endpoint tells that functions are served."""
    status, text = await answer(session, "GET", "/admin/host/status")
    assert status == 200
    assert json.loads(text) == {"state": "Running"}


@pytest.mark.parametrize("path", ["/api/keyed", "/api/administered"])
async def test_functions_above_anonymous_need_the_key(session: ClientSession, path: str) -> None:
    """The key is taken from the header, else from the query; without it the answer is 401."""
    right = {"x-functions-key": KEY}
    wrong = {"x-functions-key": "\u00fcnlike"}
    assert await answer(session, "GET", path) == (401, "")
    assert await answer(session, "GET", path + "?code=wrong") == (401, "")
    assert await answer(session, "GET", path, headers=wrong) == (401, "")
    assert await answer(session, "GET", f"{path}?code={KEY}", headers=wrong) == (401, "")
    assert await answer(session, "GET", f"{path}?code={KEY}") == (200, "open")
    assert await answer(session, "GET", path, headers=right) == (200, "open")


async def test_log_tells_no_header_body_or_query(session: ClientSession, host: RunningHost) -> None:
    """A call leaves one line with the function's name, status and time, and nothing of its data."""
    await echoed(
        session,
        "/api/echo/param-secret?q=query-secret",
        data=b"body-secret",
        headers={"Authorization": "Bearer header-secret"},
    )
    assert "secret" not in host.log
    assert re.search(r"INFO emulator.functions.host: echo answered 200 in [\d.]+ ms\n", host.log)
    assert "Function name" not in host.log


async def test_only_loopback_listens(host: RunningHost) -> None:
    """The host cannot be reached by another of this machine's addresses."""
    port = int(host.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", port)


def test_ready_line_names_url_and_functions(host: RunningHost) -> None:
    """One line on stdout tells where the host listens and what it serves."""
    assert re.match(r"Functions host: http://localhost:\d+ \(.*echo, .*raises.*\)\n$", host.ready)


# The command


FOREIGN_PAGES = [
    {"Host": "rebound.example"},
    {"Host": "rebound.example", "Origin": "http://rebound.example"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN_PAGES)
async def test_pages_of_other_sites_where_no_key_is_needed(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    """A function that needs a key only in Azure still refuses pages of other sites here."""
    with running(write_app(tmp_path)) as host:
        async with ClientSession(host.url) as session:
            own = {"Origin": host.url}
            assert await answer(session, "GET", "/api/keyed", headers=own) == (200, "open")
            assert (await answer(session, "GET", "/api/keyed", headers=headers))[0] == 403


@pytest.mark.parametrize("headers", FOREIGN_PAGES[1:])
async def test_pages_of_other_sites(session: ClientSession, headers: dict[str, str]) -> None:
    """A request from a page of another site is refused, without a CORS header."""
    for method in ("GET", "POST", "OPTIONS"):
        async with session.request(method, "/api/text", headers=headers) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_caller_by_another_name(session: ClientSession) -> None:
    """A caller that sends no Origin may use a tunnel's host name, as the channel does."""
    tunnel = {"Host": "bot.devtunnels.example", "x-functions-key": KEY}
    assert (await answer(session, "GET", "/api/text", headers=tunnel))[0] == 200
    assert await answer(session, "GET", "/api/keyed", headers=tunnel) == (200, "open")


async def test_without_a_key_every_function_is_open(tmp_path: Path) -> None:
    """As in Core Tools no key is asked for; host.json's route prefix may be empty."""
    write_app(tmp_path)
    (tmp_path / "host.json").write_text('{"extensions": {"http": {"routePrefix": ""}}}')
    with running(tmp_path) as host:
        async with ClientSession(host.url) as session:
            assert await answer(session, "GET", "/keyed") == (200, "open")
            assert (await answer(session, "GET", "/"))[0] == 200


@pytest.mark.parametrize("workers", [[], ["--workers", "1"]], ids=["alone", "workers"])
@pytest.mark.parametrize("loop", event_loops.FACTORIES)
async def test_event_loop(loop: str, workers: list[str], tmp_path: Path) -> None:
    """The app's event loop is of the chosen kind, and so are loops that it makes in threads."""
    with running(write_app(tmp_path), "--loop", loop, *workers) as host:
        async with ClientSession(host.url) as session:
            status, body = await answer(session, "GET", "/api/surroundings")
    assert status == 200
    assert (json.loads(body)["loop"], json.loads(body)["loop_of_a_thread"]) == (loop, loop)


def test_default_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is uvloop, in the version of Azure's worker."""
    monkeypatch.setattr("sys.argv", ["functions_host", "--app", str(ROOT)])
    assert _options().loop == "uvloop"
    assert version("uvloop").startswith("0.21.")


BROKEN = {
    "import error": ("import no_such_module", "No module named 'no_such_module'"),
    "asyncio.run": ("import asyncio\nasyncio.run(asyncio.sleep(0))", "asyncio.run() cannot be"),
    "no functions": ("import azure.functions as func\napp = func.FunctionApp()", "No functions"),
}


@pytest.mark.parametrize(("source", "fault"), BROKEN.values(), ids=BROKEN)
async def test_app_that_cannot_be_indexed_is_503(tmp_path: Path, source: str, fault: str) -> None:
    """Every call is answered 503, the status is Error and the log has the fault in full."""
    write_app(tmp_path, source)
    with running(tmp_path) as host:
        assert "no functions" in host.ready
        async with ClientSession(host.url) as session:
            for path in ("/api/messages", "/"):
                assert (await answer(session, "GET", path))[0] == 503
            _, status = await answer(session, "GET", "/admin/host/status")
            assert json.loads(status) == {"state": "Error"}
        assert fault in host.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_host_with_0(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and a polite kill end the process silently; as in the cloud no exit handler runs."""
    with running(write_app(tmp_path)) as host:
        assert host.end(number) == 0
        assert host.next_line() == ""
        assert host.log == ""


@pytest.mark.parametrize("path", ["/api/blocks", "/api/blocks-in-a-thread"])
async def test_signal_ends_the_host_while_a_function_blocks(tmp_path: Path, path: str) -> None:
    """Neither a function that blocks the loop nor one in a thread keeps the process alive."""
    with running(write_app(tmp_path)) as host:
        async with ClientSession(host.url) as session:
            call = asyncio.create_task(session.post(path))
            assert await asyncio.to_thread(host.next_line) == "blocked\n"
            assert await asyncio.to_thread(host.end) == 0
            with pytest.raises(ClientError):
                await call


def test_taken_port_is_named(tmp_path: Path) -> None:
    """A port in use ends the command with one line that names the option."""
    write_app(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path, "--port", str(port)) as host:
            assert "Functions host" not in host.ready
            assert host.process.wait(timeout=SECONDS) == 1
    assert host.log == f"Port {port} is taken: choose another with --port.\n"


def test_environment_setting_of_the_app_is_kept(tmp_path: Path) -> None:
    """AZURE_FUNCTIONS_ENVIRONMENT is only set where nobody did."""
    environ = {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}
    apply_settings(tmp_path, environ)
    assert environ == {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}


def test_encrypted_settings_are_refused_with_the_cure(tmp_path: Path) -> None:
    """Encrypted settings would be nonsense as values: the error tells how to decrypt them."""
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": true, "Values": {"A": "x"}}')
    environ: dict[str, str] = {}
    with pytest.raises(HostError, match="func settings decrypt"):
        apply_settings(tmp_path, environ)
    assert environ == {}


def test_route_prefix_is_host_jsons(tmp_path: Path) -> None:
    """The prefix is `api` until host.json says otherwise; a broken file is named."""
    assert route_prefix(tmp_path) == "api"
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    assert route_prefix(tmp_path) == "api"
    (tmp_path / "host.json").write_text('{"extensions": {"http": {"routePrefix": "v1"}}}')
    assert route_prefix(tmp_path) == "v1"
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(HostError, match=r"host\.json is not JSON"):
        route_prefix(tmp_path)


# Routes


def http_function(route: str, name: str = "f", **trigger: Any) -> Function:
    """A function as the worker lists it."""
    bindings = ({"type": "httpTrigger", "name": "req", "route": route, **trigger},)
    return Function(id=GUID, name=name, bindings=bindings)


MATCHES: list[tuple[str, str, dict[str, str] | None]] = [
    ("messages", "/api/messages", {}),
    ("messages", "/api/messages/", {}),
    ("messages", "/API/Messages", {}),
    ("messages", "/api/messages/x", None),
    ("messages", "/api/xmessages", None),
    ("a.b", "/api/axb", None),
    ("/slashes/", "/api/slashes", {}),
    ("x/{id}", "/api/x/Ab", {"id": "Ab"}),
    ("x/{id}", "/api/x", None),
    ("x/{id}", "/api/x/a/b", None),
    ("x/{id}/y", "/api/x/1/y", {"id": "1"}),
    ("x/{id?}", "/api/x", {}),
    ("x/{id?}", "/api/x/1", {"id": "1"}),
    ("x/{id:int}", "/api/x/-12", {"id": "-12"}),
    ("x/{id:int}", "/api/x/1a", None),
    ("x/{id:int?}", "/api/x", {}),
    ("x/{id:long}", "/api/x/123456789012", {"id": "123456789012"}),
    ("x/{id:guid}", f"/api/x/{GUID}", {"id": GUID}),
    ("x/{id:guid}", "/api/x/0f8fad5b", None),
    ("x/{id:alpha}", "/api/x/ab", {"id": "ab"}),
    ("x/{id:alpha}", "/api/x/a1", None),
    ("x/{id:bool}", "/api/x/True", {"id": "True"}),
    ("x/{*rest}", "/api/x/a/b", {"rest": "a/b"}),
    ("x/{*rest}", "/api/x", {}),
    ("x/{id:int}/{*rest}", "/api/x/1/a/b", {"id": "1", "rest": "a/b"}),
]


@pytest.mark.parametrize(("route", "path", "params"), MATCHES)
def test_route_matches(route: str, path: str, params: dict[str, str] | None) -> None:
    """Literals match in any case, parameters by their form and constraint."""
    assert Route(http_function(route), "api").params("GET", path) == params


def test_route_takes_every_method_unless_it_lists_some() -> None:
    """A binding's methods decide; without any the cloud's host takes them all."""
    assert Route(http_function("x"), "api").params("DELETE", "/api/x") == {}
    listed = Route(http_function("x", methods=["put"]), "api")
    assert listed.params("PUT", "/api/x") == {}
    assert listed.params("GET", "/api/x") is None


def test_route_is_above_anonymous_unless_it_says_so() -> None:
    """A binding without a level has the function level, as in the cloud."""
    assert Route(http_function("x"), "api").needs_key
    assert not Route(http_function("x", authLevel="ANONYMOUS"), "api").needs_key


@pytest.mark.parametrize("route", ["x/{id:min(3)}", "x/{id=3}", "x/v{id}", "x/{}"])
def test_unknown_route_form_is_refused(route: str) -> None:
    """A form that this host cannot match is named rather than guessed."""
    with pytest.raises(HostError, match="Function f: the route's part"):
        Route(http_function(route), "api")


async def test_first_function_by_name_wins() -> None:
    """Of two routes that match, the function whose name comes first in the alphabet is called."""

    class Recorder(FunctionsWorker):
        async def invoke(self, function: Function, *_: object) -> dict[str, TypedData]:
            return {"$return": TypedData(string=function.name)}

    worker = Recorder(Path())
    worker.functions = [
        http_function("x/y", "Later", authLevel="anonymous"),
        http_function("x/{id}", "earlier", authLevel="anonymous"),
    ]
    host = FunctionsHost(worker)
    await host.start()
    async with ClientSession(host.url) as session:
        assert await answer(session, "GET", "/api/x/y") == (200, "earlier")
        assert await answer(session, "GET", "/api/x/a%2Fb") == (200, "earlier")
    await host.stop()


# The worker


QUEUE_APP = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.queue_trigger(arg_name="message", queue_name="q", connection="Storage")
@app.queue_output(arg_name="out", queue_name="q2", connection="Storage")
async def take(message: func.QueueMessage, out: func.Out[str]) -> None:
    out.set(f"{message.id} {message.dequeue_count} {message.get_body().decode()}")
    if message.get_body() == b"bad":
        raise ValueError("refused")


@app.route(route="hello")
async def hello(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return func.HttpResponse(context.trace_context.Traceparent)
"""


@pytest.fixture
async def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FunctionsWorker:
    """A worker in this process; its app's module has a name of its own, since modules stay."""
    (tmp_path / "in_process_app.py").write_text(QUEUE_APP)
    monkeypatch.setenv("PYTHON_SCRIPT_FILE_NAME", "in_process_app.py")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "in_process_app", raising=False)
    loaded = FunctionsWorker(tmp_path)
    await loaded.load()
    return loaded


async def test_worker_serves_triggers_other_than_http(worker: FunctionsWorker) -> None:
    """A queue message goes in with its metadata, the outputs come out by binding name."""
    take = next(each for each in worker.functions if each.name == "take")
    assert take.trigger["type"] == "queueTrigger"
    assert take.trigger["queueName"] == "q"
    metadata = {"Id": TypedData(string="id1"), "DequeueCount": TypedData(json="2")}
    outputs = await worker.invoke(take, TypedData(string="m\u00e4h"), metadata)
    assert outputs == {"out": TypedData(string="id1 2 m\u00e4h")}


async def test_outputs_set_before_a_raise_are_lost(worker: FunctionsWorker) -> None:
    """A function that raises yields nothing but its trace."""
    take = next(each for each in worker.functions if each.name == "take")
    metadata = {"Id": TypedData(string="id1"), "DequeueCount": TypedData(json="2")}
    with pytest.raises(InvocationError, match="ValueError: refused"):
        await worker.invoke(take, TypedData(string="bad"), metadata)


async def test_host_in_process(worker: FunctionsWorker) -> None:
    """The host's class serves HTTP functions only, passes `traceparent` on, and stops listening."""
    host = FunctionsHost(worker, "v1")
    await host.start()
    async with ClientSession() as session:
        headers = {"traceparent": "00-trace"}
        url = f"{host.url}/v1/hello"
        assert await answer(session, "GET", url, headers=headers) == (200, "00-trace")
        assert (await answer(session, "GET", f"{host.url}/v1/take"))[0] == 404
    await host.stop()
    port = int(host.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_folder_without_an_app_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without function_app.py is refused with what it needs."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    worker = FunctionsWorker(tmp_path)
    with pytest.raises(IndexingError, match=r"it needs a function_app\.py"):
        await worker.load()
    assert worker.functions == ()
