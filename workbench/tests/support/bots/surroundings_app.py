"""SurroundingsApp: a function app that says what it finds around it, and notes how it ends."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

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
import time
from pathlib import Path

import azure.functions as func
import colorsys
import a_module
import shadowed

LOOP = asyncio.get_running_loop()


def note(text):
    with open(os.environ["Note"], "a") as file:
        file.write(text)


class Flushed(logging.NullHandler):
    def flush(self):
        note("a log handler was flushed")

logging.getLogger().addHandler(Flushed())
atexit.register(note, "an exit handler ran")
signal.signal(signal.SIGTERM, lambda number, frame: note("a signal handler ran"))
FOUND = {
    "loop": type(LOOP).__module__.partition(".")[0],
    "folder": os.getcwd(),
    "environ": dict(os.environ),
    "path": list(sys.path),
    "modules": [module.__file__ for module in (a_module, shadowed, colorsys)],
}
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


async def loop_of_a_thread():
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@app.route(route="surroundings")
async def surroundings(req: func.HttpRequest) -> func.HttpResponse:
    now = {
        "folder_now": os.getcwd(),
        "pid": os.getpid(),
        "same_loop": LOOP is asyncio.get_running_loop(),
        "loop_of_a_thread": await asyncio.to_thread(asyncio.run, loop_of_a_thread()),
    }
    return func.HttpResponse(json.dumps(FOUND | now))


@app.route(route="write")
async def write(req: func.HttpRequest) -> func.HttpResponse:
    (Path(__file__).parent / req.params["name"]).write_text("written")
    return func.HttpResponse("written")


@app.route(route="block")
async def block(req: func.HttpRequest) -> func.HttpResponse:
    note("blocked")
    time.sleep(60)


@app.route(route="block-in-a-thread")
def block_in_a_thread(req: func.HttpRequest) -> func.HttpResponse:
    note("blocked")
    time.sleep(60)
"""


class SurroundingsApp:
    """An app folder with two modules and two packages; `shadowed` is the name of one of each.

    Args:
        parent: takes the folder and, beside it, the host's log and the app's notes.
    """

    def __init__(self, parent: Path) -> None:
        self.folder = parent / "app"
        self.packages = self.folder / ".python_packages" / "lib" / "site-packages"
        self.packages.mkdir(parents=True)
        (self.folder / "function_app.py").write_text(APP)
        for place, names in (
            (self.folder, ("a_module", "shadowed")),
            (self.packages, ("shadowed", "colorsys")),
        ):
            for name in names:
                (place / f"{name}.py").touch()
        self._note = parent / "note"
        self._note.touch()
        self._log = parent / "host.log"

    @contextmanager
    def running(
        self, *options: str, settings: dict[str, str] | None = None, loop: str | None = None
    ) -> Iterator[tuple[BotProcess, Caller]]:
        """The app in a host of its own, and a client that calls it."""
        environ = {"Note": str(self._note), **(settings or {})}
        with (
            BotProcess(environ, self._log, self.folder, options, loop=loop) as process,
            closing(Caller(process.url)) as caller,
        ):
            yield process, caller

    @property
    def note(self) -> str:
        """What the app noted: which of its handlers ran, or that a function blocks."""
        return self._note.read_text()


def surroundings(caller: Caller) -> dict[str, Any]:
    """What function_app.py found at its import; `folder_now`, `pid` and the loops are current."""
    found: dict[str, Any] = caller.send("GET", "/api/surroundings", []).json()
    return found
