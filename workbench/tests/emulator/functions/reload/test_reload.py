"""Reload on save: a new worker process takes over with the newest code that loads."""

import asyncio
import itertools
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot_workbench.emulator.functions.reload.reloading_worker import MAX_RETIRED
from bot_workbench.emulator.functions.workers.lifeline import LifelineAddress
from tests.support.program import is_running
from tests.support.project import ROOT
from tests.support.reload.reloading_app import ReloadingApp
from tests.support.timing.condition import comes_true

APP = """
import asyncio
import os

import azure.functions as func
import words
import time

while os.path.exists(os.environ.get("Blocked", "")):
    time.sleep(0.02)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="word")
async def word(req: func.HttpRequest) -> str:
    return words.WORD


@app.route(route="pid")
async def pid(req: func.HttpRequest) -> str:
    return str(os.getpid())


@app.route(route="crash")
async def crash(req: func.HttpRequest) -> str:
    os._exit(3)


@app.route(route="slow")
async def slow(req: func.HttpRequest) -> str:
    from pathlib import Path
    Path(os.environ["Started"]).touch()
    while not Path(os.environ["Go"]).exists():
        await asyncio.sleep(0.02)
    return words.WORD


@app.route(route="block")
async def block(req: func.HttpRequest) -> str:
    from pathlib import Path
    Path(os.environ["Started"]).touch()
    time.sleep(1000)


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer")
async def by_hand(timer: func.TimerRequest) -> None:
    from pathlib import Path
    Path(os.environ["Started"]).touch()
    while not Path(os.environ["Go"]).exists():
        await asyncio.sleep(0.02)
    Path(os.environ["Done"]).write_text(words.WORD)


@app.route(route="setting")
async def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.params.get("name", "Setting"), "none")
"""


SECOND = 1_800_000_000
"""When quick saves were, in seconds since 1970."""


def words(word: str) -> str:
    """The module with the word that the app says."""
    return f"WORD = {word!r}\n"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[ReloadingApp]:
    """An app that says `one`, in a host that reloads."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(APP)
    (folder / "words.py").write_text(words("one"))
    settings = {name: str(tmp_path / name.lower()) for name in ("Started", "Go", "Done", "Blocked")}
    async with ReloadingApp(folder, tmp_path / "host.log", settings) as app:
        await app.reported("ready", 1)
        yield app


async def test_saved_code_answers(app: ReloadingApp) -> None:
    """After a save a new process answers with the new code, and the line says which file it was."""
    before = await app.text("/api/pid")
    assert await app.text("/api/word") == "one"
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")
    assert await app.text("/api/pid") != before
    ready = await app.reported("ready", 2)
    assert ready["files"] == ["app/words.py"]
    assert ready["ms"] > 0
    assert re.search(r"Reloaded in \d+\.\d\d s: app/words.py\n", app.output)


async def test_two_saves_within_a_second_of_the_same_length(app: ReloadingApp) -> None:
    """The code of the last of quick saves answers, though Python's caches could not tell."""
    for word in ("two", "six", "ten", "one", "two", "six"):
        new = app.code / "words.py.swp"
        new.write_text(words(word))
        os.utime(new, (SECOND, SECOND))
        new.replace(app.code / "words.py")
        await app.says("/api/word", word)


async def test_broken_code_is_shown_once_and_the_old_code_answers(app: ReloadingApp) -> None:
    """One line names file, line and error; the code before it goes on answering."""
    app.save("words.py", "WORD = 'two'\nx = (\n")
    broken = await app.reported("broken", 1)
    line = "app/words.py:2 SyntaxError: '(' was never closed; fix and save"
    assert broken["text"] == line
    assert await app.text("/api/word") == "one"
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")
    assert app.output.count(line) == 1
    assert "Traceback" not in app.output


async def test_saved_again_and_still_broken(app: ReloadingApp) -> None:
    """A save that leaves the same error is noticed in a line, which does not repeat the error."""
    line = "\nSaved app/words.py: the same error as above; fix and save\n"
    app.save("words.py", "x = (\n")
    await app.reported("broken", 1)
    app.save("words.py", "x = (\n")
    await comes_true(lambda: line in app.output)
    assert app.output.count("SyntaxError") == 1
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")
    app.save("words.py", "x = (\n")
    await comes_true(lambda: app.output.count("SyntaxError") == 2)


FAULTS = {
    "import": ("import no_such_module", "app/words.py:1 ModuleNotFoundError: No module named"),
    "name": ("x = 1\n\nWORD = x.y", "app/words.py:3 AttributeError: 'int' object has no attribute"),
    "exit": ("import sys\nsys.exit(3)", "ended while it"),
    "crash": ("import os\nos._exit(3)", "ended while it started (exit code 3)"),
    "gone": (None, "app/function_app.py:6 ModuleNotFoundError: No module named 'words'"),
}


@pytest.mark.parametrize(("source", "fault"), FAULTS.values(), ids=FAULTS)
async def test_code_that_does_not_load(app: ReloadingApp, source: str | None, fault: str) -> None:
    """Whatever keeps code from loading is named in a line, and the next save is loaded."""
    if source is None:
        (app.code / "words.py").unlink()
    else:
        app.save("words.py", source)
    assert fault in (await app.reported("broken", 1))["text"]
    assert await app.text("/api/word") == "one"
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")


async def test_first_start_that_is_broken_waits_for_a_save(tmp_path: Path) -> None:
    """Without any code that loads, requests get 503 with the fault, and a save is enough."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(APP)
    async with ReloadingApp(folder, tmp_path / "host.log") as app:
        status, body = await app.client.answer("/api/word")
        fault = "app/function_app.py:6 ModuleNotFoundError: No module named 'words'; fix and save"
        assert (status, body) == (503, fault)
        assert app.output.count("ModuleNotFoundError") == 1
        app.save("words.py", words("one"))
        await app.says("/api/word", "one")


async def test_running_functions_end_with_the_old_code(app: ReloadingApp, tmp_path: Path) -> None:
    """A request that runs during a reload is answered by the old code, whose process then ends."""
    before = int(await app.text("/api/pid"))
    slow = asyncio.create_task(app.client.answer("/api/slow"))
    await comes_true((tmp_path / "started").exists)
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")
    assert before in app.processes
    (tmp_path / "go").touch()
    assert await slow == (200, "one")
    await comes_true(lambda: before not in app.processes)


async def test_functions_run_by_hand_end_with_the_old_code(
    app: ReloadingApp, tmp_path: Path
) -> None:
    """A function that was started by hand runs to its end, too."""
    before = int(await app.text("/api/pid"))
    async with app.client.session.post("/admin/functions/by_hand", json={}) as answer:
        assert answer.status == 202
    await comes_true((tmp_path / "started").exists)
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")
    (tmp_path / "go").touch()
    await comes_true((tmp_path / "done").exists)
    await comes_true(lambda: (tmp_path / "done").read_text() == "one")
    await comes_true(lambda: before not in app.processes)


async def test_only_so_many_workers_run_old_code(app: ReloadingApp, tmp_path: Path) -> None:
    """Of more, the oldest ends, whatever it runs; the others go on."""
    slow = []
    for number in range(MAX_RETIRED + 1):
        slow.append(asyncio.create_task(app.client.answer("/api/slow")))
        await comes_true((tmp_path / "started").exists)
        (tmp_path / "started").unlink()
        app.save("words.py", words(str(number)))
        await app.says("/api/word", str(number))
    oldest, *others = slow
    assert (await oldest)[0] == 500
    (tmp_path / "go").touch()
    assert await asyncio.gather(*others) == [(200, str(number)) for number in range(MAX_RETIRED)]


async def test_a_blocked_worker_ends_with_the_next_save(app: ReloadingApp, tmp_path: Path) -> None:
    """Its event loop will not answer again, so what it runs is not waited for."""
    before = int(await app.text("/api/pid"))
    blocked = asyncio.create_task(app.client.answer("/api/block"))
    await comes_true((tmp_path / "started").exists)
    app.save("words.py", words("two"))
    await app.says("/api/word", "two")
    assert (await blocked)[0] == 500
    await comes_true(lambda: before not in app.processes)
    assert "which has the old code, is blocked, and ends" in app.output


INSTALL = """
import pathlib, sys, time

requirements, go, packages = map(pathlib.Path, sys.argv[1:])
while not go.exists():
    time.sleep(0.02)
go.unlink()
name = requirements.read_text()
if name == "none":
    sys.exit("ERROR: No matching distribution found for none")
(packages / f"{name}.py").write_text("WORD = 'installed'")
"""
"""In place of pip: installs the module that the requirements name, once it may go on."""


async def test_saved_requirements_are_installed(tmp_path: Path) -> None:
    """Before the code is loaded; while that takes, and if it fails, the old code answers on."""
    bot, packages, go = tmp_path / "app" / "bot_logic", tmp_path / "packages", tmp_path / "go"
    bot.mkdir(parents=True)
    packages.mkdir()
    (bot.parent / "function_app.py").write_text(APP)
    (bot.parent / "words.py").write_text("from bot_logic import WORD")
    (bot / "requirements.txt").touch()
    (bot / "__init__.py").write_text("WORD = 'one'")
    script = tmp_path / "install.py"
    script.write_text(INSTALL)
    found = bot / "requirements.txt"
    install = shlex.join([sys.executable, *map(str, (script, found, go, packages))])
    path = os.pathsep.join((str(ROOT / "workbench"), str(packages)))
    async with ReloadingApp(
        bot.parent, tmp_path / "host.log", {"PYTHONPATH": path}, ("--install", install)
    ) as app:
        app.save("bot_logic/__init__.py", "from unknown_module import WORD")
        module = "app/bot_logic/__init__.py:1 ModuleNotFoundError: No module named 'unknown_module'"
        broken = f"{module}: add unknown_module, or"
        assert broken in (await app.reported("broken", 1))["text"]
        app.save("bot_logic/requirements.txt", "none")
        await comes_true(lambda: "Saved app/bot_logic/requirements.txt: installing" in app.output)
        assert await app.text("/api/word") == "one"
        go.touch()
        failed = (await app.reported("broken", 2))["text"]
        reason = "No matching distribution found for none; fix and save"
        assert failed == f"app/bot_logic/requirements.txt: {reason}"
        assert await app.text("/api/word") == "one"
        app.save("bot_logic/requirements.txt", "unknown_module")
        go.touch()
        await app.says("/api/word", "installed")


async def test_save_during_a_load(app: ReloadingApp, tmp_path: Path) -> None:
    """Newer code is loaded soon, and what the load before it would have said is not shown."""
    (tmp_path / "blocked").touch()
    app.save("words.py", words("two"))
    await app.reported("loading", 2)
    app.save("words.py", words("six"))
    await app.reported("loading", 3)
    (tmp_path / "blocked").unlink()
    await app.says("/api/word", "six")
    assert app.statuses("broken") == []
    assert "fix and save" not in app.output


async def test_worker_that_ends_by_itself_is_replaced(app: ReloadingApp, tmp_path: Path) -> None:
    """After a crash the next request waits, and is answered by a new process."""
    before = await app.text("/api/pid")
    (tmp_path / "blocked").touch()
    os.kill(int(before), signal.SIGKILL)
    await comes_true(lambda: "ended (SIGKILL)" in app.output)
    waiting = asyncio.create_task(app.text("/api/pid"))
    await comes_true(lambda: len(app.statuses("loading")) == 2)
    (tmp_path / "blocked").unlink()
    assert await waiting != before


async def test_code_that_crashes_again_and_again(app: ReloadingApp) -> None:
    """It is loaded once a second at most."""
    for count in (2, 3, 4):
        assert (await app.client.answer("/api/crash"))[0] == 500
        await app.reported("ready", count)
    times = [each["at"] for each in app.statuses("ready")]
    assert min(after - before for before, after in itertools.pairwise(times)) > 0.9


async def test_local_settings_are_read_again(app: ReloadingApp) -> None:
    """A saved local.settings.json is what the new code finds in its environment."""
    app.save("local.settings.json", '{"Values": {"Setting": "first"}}')
    await app.says("/api/setting", "first")
    app.save("local.settings.json", '{"Values": {"Setting": "second"}}')
    await app.says("/api/setting", "second")


async def test_what_the_app_starts_is_no_worker(app: ReloadingApp) -> None:
    """The address of the worker's host is not in the environment that the app's processes get."""
    await app.says(f"/api/setting?name={LifelineAddress.SETTING}", "none")


async def test_host_that_is_stopped_ends_quietly(tmp_path: Path) -> None:
    """It ends its workers, and logs nothing of that."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(APP)
    (folder / "words.py").write_text(words("one"))
    async with ReloadingApp(folder, tmp_path / "host.log") as app:
        assert await app.text("/api/word") == "one"
        workers = app.processes
    assert " ended " not in app.output
    assert "Traceback" not in app.output
    await comes_true(lambda: not any(is_running(pid) for pid in workers))


async def test_killed_host_takes_its_workers_with_it(app: ReloadingApp) -> None:
    """After a SIGKILL of the host neither the worker nor the spare one survives."""
    await comes_true(lambda: len(app.processes) == 2)
    workers = app.processes
    app.kill()
    await comes_true(lambda: not any(is_running(pid) for pid in workers))


CONFIGURATION = {
    "host.json": ('{"extensions": {"queues": {"batchSize": 99}}}', "{}", "batchSize is 99"),
    "local.settings.json": ('{"IsEncrypted": true}', "{}", "func settings decrypt"),
}


@pytest.mark.parametrize("name", CONFIGURATION)
async def test_wrong_configuration(app: ReloadingApp, name: str) -> None:
    """A file of the host's that is wrong is a line, and the code before goes on answering."""
    wrong, right, fault = CONFIGURATION[name]
    app.save(name, wrong)
    assert fault in (await app.reported("broken", 1))["text"]
    assert await app.text("/api/word") == "one"
    app.save(name, right)
    await app.reported("ready", 2)
    assert app.output.count(fault) == 1
    assert "Traceback" not in app.output
