"""How the host starts an app: as Azure does."""

import re
import socket
from pathlib import Path

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.bots.surroundings_app import SurroundingsApp, surroundings
from tests.support.project import ROOT
from tests.support.timing import event_loops
from tests.support.wire.host_client import HostClient

Mode = tuple[str, ...]
MODES = pytest.mark.parametrize("mode", [(), ("--workers", "1")], ids=["alone", "workers"])


@pytest.fixture
def app(tmp_path: Path) -> SurroundingsApp:
    """An app that says what it finds around it."""
    return SurroundingsApp(tmp_path)


@MODES
@pytest.mark.parametrize("start", [(), ("--specialize",)], ids=["direct", "specialized"])
def test_packages_then_worker_then_app(app: SurroundingsApp, mode: Mode, start: Mode) -> None:
    """Deployed packages come first on sys.path, and the app's folder last; ours is not there."""
    with app.running(*mode, *start) as (_, caller):
        found = surroundings(caller)
    assert (found["path"][0], found["path"][-1]) == (str(app.packages), str(app.folder))
    assert not {"", str(ROOT), str(app.folder.parent)} & set(found["path"])
    assert found["modules"] == [
        str(app.folder / "a_module.py"),
        str(app.packages / "shadowed.py"),
        str(app.packages / "colorsys.py"),
    ]


@MODES
def test_app_folder_is_on_the_path_once(app: SurroundingsApp, mode: Mode) -> None:
    """A PYTHONPATH with the app's folder does not change its place."""
    with app.running(*mode, settings={"PYTHONPATH": f"{app.folder}:{ROOT / 'workbench'}"}) as (
        _,
        caller,
    ):
        path = surroundings(caller)["path"]
    assert path.index(str(app.folder)) == len(path) - 1


@MODES
def test_environment(app: SurroundingsApp, mode: Mode) -> None:
    """local.settings.json's values are in the environment, unless that has a value already."""
    (app.folder / "local.settings.json").write_text('{"Values": {"Here": "file", "Both": "file"}}')
    settings = {"Both": "environment", "CONTAINER_NAME": "environment"}
    with app.running(*mode, settings=settings) as (_, caller):
        environ = surroundings(caller)["environ"]
    assert (environ["Here"], environ["Both"]) == ("file", "environment")
    assert environ["AZURE_FUNCTIONS_ENVIRONMENT"] == "Development"
    assert "CONTAINER_NAME" not in environ


@MODES
@pytest.mark.parametrize("loop", event_loops.FACTORIES)
def test_event_loop(app: SurroundingsApp, loop: str, mode: Mode) -> None:
    """Import and functions share an event loop of the chosen kind; threads get that kind too."""
    with app.running(*mode, loop=loop) as (_, caller):
        found = surroundings(caller)
    assert (found["loop"], found["loop_of_a_thread"], found["same_loop"]) == (loop, loop, True)


@MODES
def test_specialization(app: SurroundingsApp, mode: Mode) -> None:
    """The import sees the settings, but the working directory is not the app's folder yet."""
    with app.running(*mode, "--specialize", settings={"A_SETTING": "its value"}) as (_, caller):
        found = surroundings(caller)
    assert found["environ"]["A_SETTING"] == "its value"
    assert found["environ"]["WEBSITE_PLACEHOLDER_MODE"] == "0"
    assert found["folder"] not in (str(app.folder), str(Path.cwd()))
    assert found["folder_now"] == str(app.folder)


def test_ready_line_names_url_and_functions(app: SurroundingsApp) -> None:
    """One line on stdout names the host's URL and its functions."""
    with app.running() as (process, _):
        pattern = r"Functions host: http://localhost:\d+ \(block, .*surroundings, write\)\n"
        assert re.fullmatch(pattern, process.ready)


INVALID_ROUTE = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="messages")
async def messages(req: func.HttpRequest) -> str:
    return "never"


@app.route(route="/mine")
async def mine(req: func.HttpRequest) -> str:
    return "never"


@app.timer_trigger("timer", "0 0 0 1 1 *", run_on_startup=True)
async def at_start(timer: func.TimerRequest) -> None:
    raise AssertionError("it runs")
"""
BROKEN = {
    "import error": ("import no_such_module", "No module named 'no_such_module'"),
    "asyncio.run": ("import asyncio\nasyncio.run(asyncio.sleep(0))", "asyncio.run() cannot be"),
    "no functions": ("import azure.functions as func\napp = func.FunctionApp()", "No functions"),
    "invalid route": (INVALID_ROUTE, "Function mine: its route template 'api//mine' is invalid"),
}


@pytest.mark.parametrize("mode", [(), ("--workers", "1"), ("--specialize",)])
@pytest.mark.parametrize(("source", "fault"), BROKEN.values(), ids=BROKEN)
async def test_app_that_cannot_be_indexed_is_503(
    app: SurroundingsApp, mode: Mode, source: str, fault: str
) -> None:
    """Every call is answered 503, the status is Error, nothing runs, and the log has the fault."""
    (app.folder / "function_app.py").write_text(source)
    with app.running(*mode) as (process, _):
        assert "no functions" in process.ready
        async with HostClient(process.url) as client:
            for path in ("/api/messages", "/"):
                assert (await client.answer(path))[0] == 503
            assert await client.json("/admin/host/status") == {"state": "Error"}
        log = process.log.read_text()
        assert fault in log
        assert "at_start" not in log


FAULTS = {
    "host.json": ('{"extensions": {"queues": {"batchSize": 99}}}', "batchSize is 99, it must be"),
    "local.settings.json": ('{"IsEncrypted": true}', "func settings decrypt"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_invalid_configuration_is_named(app: SurroundingsApp, name: str) -> None:
    """A host that cannot use one of the app's files ends with one line that says why."""
    content, fault = FAULTS[name]
    (app.folder / name).write_text(content)
    with pytest.raises(AssertionError, match=rf"the host did not start: .*{fault}.*\n$"):
        app.running().__enter__()


@MODES
def test_taken_port_is_named(tmp_path: Path, mode: Mode) -> None:
    """A port in use ends the command with one line that names the option."""
    log = tmp_path / "host.log"
    app = SurroundingsApp(tmp_path).folder
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = BotProcess({"Note": "/dev/null"}, log, app, ("--port", str(port), *mode))
        with pytest.raises(AssertionError), process:
            pass
    assert process.returncode == 1
    assert log.read_text() == f"Port {port} is taken: choose another with --port.\n"
