"""Log lines that Azure would drop are marked, and those that it would log twice are shown twice."""

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

APP = """
import asyncio
import logging
import threading

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
log = logging.getLogger("the_app")
ended = asyncio.Event()
logged = asyncio.Event()


async def at_start():
    log.info("the start")

start = asyncio.get_running_loop().create_task(at_start())
log.info("the import")


async def say(text):
    log.info(text)


async def outlive():
    await ended.wait()
    log.info("a task that outlives its invocation")
    logged.set()


@app.route(route="lines")
async def lines(req: func.HttpRequest) -> func.HttpResponse:
    log.info("the function")
    await say("what it awaits")
    await asyncio.create_task(say("a task of its own"))
    await asyncio.gather(say("a gathered one"), asyncio.create_task(asyncio.sleep(0)))
    async with asyncio.TaskGroup() as group:
        group.create_task(say("a grouped one"))
    await asyncio.to_thread(log.info, "a thread")
    loop = asyncio.get_running_loop()
    loop.call_soon(log.info, "a callback")
    made = loop.create_future()
    loop.call_soon(lambda: made.set_result(asyncio.create_task(say("a callback's task"))))
    await (await made)
    lines.outliving = asyncio.create_task(outlive())
    try:
        raise LookupError("its trace")
    except LookupError:
        log.exception("an error")
    return func.HttpResponse("done")


@app.route(route="next")
async def next_one(req: func.HttpRequest) -> func.HttpResponse:
    ended.set()
    await logged.wait()
    log.info("the next function")
    return func.HttpResponse("done")


@app.route(route="synchronous")
def synchronous(req: func.HttpRequest) -> func.HttpResponse:
    log.info("a synchronous function")
    thread = threading.Thread(target=log.info, args=("its thread",))
    thread.start()
    thread.join()
    return func.HttpResponse("done")
"""

LOST = [
    "the import",
    "the start",
    "a thread",
    "a callback",
    "a callback's task",
    "a task that outlives its invocation",
    "its thread",
]
SEEN = [
    "the function",
    "what it awaits",
    "a task of its own",
    "a gathered one",
    "a grouped one",
    "an error",
    "the next function",
    "a synchronous function",
]


@pytest.fixture(params=[(), ("--workers", "1")], ids=["alone", "workers"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BotProcess]:
    """The app in a Functions host, after one call of each function."""
    (tmp_path / "function_app.py").write_text(APP)
    log = tmp_path / "host.log"
    with BotProcess({}, log, tmp_path, options=request.param) as process:
        with closing(Caller(process.url)) as caller:
            for name in ("lines", "next", "synchronous"):
                assert caller.send("GET", f"/api/{name}", []).status == 200
        until(lambda: "a synchronous function" in log.read_text())
        yield process


def test_lost_lines_are_collected(host: BotProcess) -> None:
    """Lost: lines of the import, callbacks, own threads and tasks that outlive an invocation."""
    assert [each["message"] for each in host.lost] == LOST
    assert {(each["logger"], each["level"]) for each in host.lost} == {("the_app", "INFO")}


def test_lost_lines_are_marked(host: BotProcess) -> None:
    """The log has every line, with a mark on the lost ones; the host's own lines are never lost."""
    lines = host.log.read_text().splitlines()
    texts = {line.partition("the_app: ")[2] for line in lines if "the_app: " in line}
    assert texts == {*SEEN, *(f"[lost in Azure] {text}" for text in LOST)}
    assert "\x1b" not in host.log.read_text()
    assert [line for line in lines if "emulator." in line and "lost in Azure" in line] == []


def test_lost_lines_are_dimmed_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal a lost line is dimmed as well as marked."""
    (tmp_path / "function_app.py").write_text(APP)
    command = BotProcess({}, tmp_path / "host.log", tmp_path).command
    ours, theirs = pty.openpty()
    with Program(command, stdout=subprocess.PIPE, stderr=theirs, cwd=ROOT, text=True) as process:
        process.line()
        process.terminate()
    text = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    [line] = [line for line in text.splitlines() if "the import" in line]
    assert line.startswith("\x1b[2m")
    assert line.endswith("[lost in Azure] the import\x1b[0m")


CONSOLE_APP = """
import logging
import sys

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="record")
async def record(req: func.HttpRequest) -> func.HttpResponse:
    if "alone" in req.params:
        root = logging.getLogger()
        for handler in root.handlers[:]:
            if getattr(handler, "stream", None) is sys.stdout and "CustomerLogFilter" in [
                type(each).__name__ for each in handler.filters
            ]:
                root.removeHandler(handler)
    logging.info("the first line\\nthe second line")
    if "fails" in req.params:
        raise LookupError("its trace")
    return func.HttpResponse("done")
"""


def output(folder: Path, query: str, *options: str) -> list[str]:
    """What the host prints on stdout and stderr around one request of that app."""
    (folder / "function_app.py").write_text(CONSOLE_APP)
    command = [*BotProcess({}, folder / "host.log", folder).command, *options]
    pipe = subprocess.PIPE
    with Program(command, stdout=pipe, stderr=subprocess.STDOUT, cwd=ROOT, text=True) as process:
        while "Functions host: " not in (line := process.line()):
            pass
        with closing(Caller(line.split()[2])) as caller:
            caller.send("GET", f"/api/record?{query}", [])
        process.terminate()
        text, _ = process.communicate()
    return text.splitlines()


@pytest.mark.parametrize("options", [(), ("--workers", "1")], ids=["alone", "workers"])
def test_further_lines_of_a_record_come_twice(tmp_path: Path, options: tuple[str, ...]) -> None:
    """The worker's own handler logs each line of a record but the first a second time."""
    lines = output(tmp_path, "", *options)
    assert [line for line in lines if "the second line" in line].count("the second line") == 1
    assert lines.count("Host.Function.Console: the second line") == 1
    assert len([line for line in lines if "the first line" in line]) == 1


def test_app_without_the_workers_handler_logs_each_line_once(tmp_path: Path) -> None:
    """An app can find that handler by its stream and its filter, and remove it."""
    lines = output(tmp_path, "alone=1")
    assert [line for line in lines if "the second line" in line] == ["the second line"]


def test_lines_of_the_host_come_once(tmp_path: Path) -> None:
    """The worker's handler logs the app's records only: the trace of a failed call comes once."""
    lines = output(tmp_path, "fails=1")
    assert lines.count("LookupError: its trace") == 1
    assert "Host.Function.Console: LookupError: its trace" not in lines
