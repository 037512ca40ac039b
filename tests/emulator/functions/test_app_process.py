"""How an app's process starts, what it may write, and how it ends: as in Azure."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.wire.http_post import Caller

APP = """
import asyncio
import atexit
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

import azure.functions as func
import colorsys
import a_module
import shadowed

NOTE = Path(os.environ["Note"])


def note(text):
    with NOTE.open("a") as file:
        file.write(text)


class Flushed(logging.NullHandler):
    def flush(self):
        note("a log handler was flushed")

logging.getLogger().addHandler(Flushed())
atexit.register(note, "an exit handler ran")
signal.signal(signal.SIGTERM, lambda number, frame: note("a signal handler ran"))
SEEN = {
    "loop": type(asyncio.get_running_loop()).__name__,
    "folder": os.getcwd(),
    "environ": dict(os.environ),
    "path": list(sys.path),
    "modules": [module.__file__ for module in (a_module, shadowed, colorsys)],
}
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="seen")
async def seen(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(SEEN | {"folder_now": os.getcwd(), "pid": os.getpid()}))


@app.route(route="write")
async def write(req: func.HttpRequest) -> func.HttpResponse:
    (Path(__file__).parent / req.params["name"]).write_text("written")
    return func.HttpResponse("written")
"""

MODES = pytest.mark.parametrize("mode", [(), ("--workers", "1")], ids=["alone", "workers"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app with two modules and two packages; `shadowed` is the name of one of each."""
    folder = tmp_path / "app"
    packages = folder / ".python_packages" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (folder / "function_app.py").write_text(APP)
    for place, names in ((folder, ("a_module", "shadowed")), (packages, ("shadowed", "colorsys"))):
        for name in names:
            (place / f"{name}.py").touch()
    return folder


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[BotProcess, Caller]]:
    """The app in a Functions host, and a client that calls it."""
    settings = {"Note": str(folder.parent / "note"), "A_SETTING": "its value"}
    with (
        BotProcess(settings, folder.parent / "host.log", folder, options) as process,
        closing(Caller(process.url)) as caller,
    ):
        yield process, caller


def seen(caller: Caller) -> dict[str, Any]:
    """What function_app.py saw at its import; `folder_now` and `pid` are current."""
    found: dict[str, Any] = caller.send("GET", "/api/seen", []).json()
    return found


@MODES
@pytest.mark.parametrize("start", [(), ("--specialise",)], ids=["direct", "specialised"])
def test_packages_then_worker_then_app(
    folder: Path, mode: tuple[str, ...], start: tuple[str, ...]
) -> None:
    """Deployed packages come first on sys.path, and the app's folder last."""
    with running(folder, *mode, *start) as (_, caller):
        found = seen(caller)
    packages = folder / ".python_packages" / "lib" / "site-packages"
    assert (found["path"][0], found["path"][-1]) == (str(packages), str(folder))
    assert found["modules"] == [
        str(folder / "a_module.py"),
        str(packages / "shadowed.py"),
        str(packages / "colorsys.py"),
    ]


@MODES
def test_specialisation(folder: Path, mode: tuple[str, ...]) -> None:
    """The import sees the settings, but the working directory is not the app's folder yet."""
    with running(folder, *mode, "--specialise") as (_, caller):
        found = seen(caller)
    assert found["environ"]["A_SETTING"] == "its value"
    assert found["environ"]["WEBSITE_PLACEHOLDER_MODE"] == "0"
    assert found["folder"] not in (str(folder), str(Path.cwd()))
    assert found["folder_now"] == str(folder)


def test_specialisation_of_a_broken_app(folder: Path) -> None:
    """The error is in the log, and callers get 503."""
    (folder / "a_module.py").write_text("import no_such_module")
    with running(folder, "--specialise") as (process, caller):
        assert caller.send("GET", "/api/seen", []).status == 503
        assert "no_such_module" in process.log.read_text()


@MODES
def test_sigterm_runs_no_handlers(folder: Path, mode: tuple[str, ...]) -> None:
    """On SIGTERM the host kills the app: no exit, signal or log handler of the app runs."""
    with running(folder, *mode) as (process, caller):
        pid = seen(caller)["pid"]
        assert (pid == process.pid) == (not mode)
    assert process.returncode == 0
    assert not (folder.parent / "note").exists()


@MODES
def test_sigkill_runs_no_handlers(folder: Path, mode: tuple[str, ...]) -> None:
    """No handler runs either when the process gets SIGKILL."""
    with running(folder, *mode) as (_, caller):
        os.kill(seen(caller)["pid"], signal.SIGKILL)
    assert not (folder.parent / "note").exists()


@MODES
def test_read_only_folder(folder: Path, mode: tuple[str, ...]) -> None:
    """Python writes no .pyc files, and the host of an app that writes nothing exits with 0."""
    with running(folder, *mode, "--read-only") as (process, caller):
        assert seen(caller)["folder"]
    assert process.returncode == 0
    assert not list(folder.rglob("*.pyc"))


@MODES
@pytest.mark.parametrize("name", ["new.txt", "a_module.py"])
def test_write_into_a_read_only_folder(folder: Path, mode: tuple[str, ...], name: str) -> None:
    """The log names each file that the app wrote into its folder, and the host exits with 1."""
    with running(folder, *mode, "--read-only") as (process, caller):
        assert caller.send("GET", f"/api/write?name={name}", []).status == 200
    assert process.returncode == 1
    log = process.log.read_text()
    assert "is read-only in Azure, but was written to: " in log
    assert str(folder / name) in log
