"""The recorder: what it replaces is put back, and it never stands in a turn's way."""

import importlib
import logging
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.recorder.interception import (
    Arguments,
    Interception,
    Interceptions,
    Observer,
)
from bot_workbench.emulator.recorder.recorder import Recorder, start_recorder
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.rows import ALWAYS, DETAILS
from tests.support.project import ROOT
from tests.support.recording.feed_thread import FeedThread
from tests.support.timing.condition import SECONDS, until

OWN = (("azure_functions_runtime", "invocation_request"),)
"""What the recorder itself adds to its rows."""


def watched() -> dict[tuple[str, str], Any]:
    """The functions that the recorder may replace, as they are now."""
    places = {*OWN, *((row.module, row.path) for row in (*ALWAYS, *DETAILS))}
    return {(module, path): function_at(module, path) for module, path in places}


def function_at(module: str, path: str) -> Any:
    """What a module has at a path, without binding it."""
    owner, _, name = path.rpartition(".")
    found = importlib.import_module(module)
    return vars(getattr(found, owner) if owner else found)[name]


@pytest.fixture
def feed() -> Iterator[FeedThread]:
    """A feed, for which nothing is recorded yet."""
    with FeedThread() as thread:
        yield thread


def test_everything_is_put_back(feed: FeedThread) -> None:
    """Without an inspector, what it recorded with is gone; closed, nothing of it is left."""
    before, factory = watched(), logging.getLogRecordFactory()
    address = FeedAddress.of(feed.settings)
    assert address is not None
    recorder = Recorder(address, {})
    recorder.start()
    few = watched()
    kept = {place for place in before if few[place] is not before[place]}
    assert kept == {(row.module, row.path) for row in ALWAYS}
    feed.record(True)
    feed.wait(lambda: all(now is not before[place] for place, now in watched().items()))
    feed.record(False)
    feed.wait(lambda: watched() == few and logging.getLogRecordFactory() == factory)
    recorder.close()
    assert watched() == before


def test_the_local_cloud_ends() -> None:
    """When it is gone, nothing is recorded any more."""
    before = watched()
    with FeedThread() as feed:
        address = FeedAddress.of(feed.settings)
        assert address is not None
        recorder = Recorder(address, {})
        recorder.start()
        few = watched()
        feed.record(True)
        feed.wait(lambda: all(now is not before[place] for place, now in watched().items()))
    until(lambda: watched() == few)
    recorder.close()
    assert watched() == before


def test_without_a_feed_there_is_none() -> None:
    """A process that no local cloud has started is not watched."""
    before = watched()
    start_recorder({})
    assert watched() == before


def test_nothing_is_imported() -> None:
    """A bot that does not use a library does not have it imported to be watched."""
    program = (
        "import sys\n"
        "from bot_workbench.emulator.recorder.interception import Interceptions\n"
        "from bot_workbench.emulator.recorder.recording import Recording\n"
        "from bot_workbench.emulator.recorder.rows import ALWAYS, DETAILS\n"
        "rows = (*ALWAYS, *DETAILS)\n"
        "before = {*sys.modules}\n"
        "Interceptions(rows, Recording(lambda _: None)).install()\n"
        "print({row.module for row in rows} & ({*sys.modules} - before))\n"
        "print(sorted({'httpx', 'httpx2', 'aiohttp', 'requests'} & {*sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    assert done.stdout == "set()\n[]\n"


def double(number: int) -> int:
    """What is watched."""
    return 2 * number


@pytest.fixture
def module() -> Iterator[Any]:
    """A module with that function."""
    found: Any = types.ModuleType("watched_module")
    found.double = double
    sys.modules[found.__name__] = found
    yield found
    del sys.modules[found.__name__]


def interceptions(observe: Any) -> Interceptions:
    """Those that watch the function."""
    recording = Recording(lambda _: None)
    row = Interception("watched_module", "double", observe)
    return Interceptions((row,), recording)


def failing_before(_: Recording, __: Arguments) -> Observer:
    """Fails before the call."""
    raise ValueError("observer")
    yield


def failing_after(_: Recording, call: Arguments) -> Observer:
    """Fails after the call."""
    yield
    raise KeyError(call["number"])


def failing_name(_: Recording, call: Arguments) -> Observer:
    """Looks for a parameter that has another name by now."""
    call["amount"]
    yield


@pytest.mark.parametrize("observe", [failing_before, failing_after, failing_name])
def test_faults_of_observers(module: Any, observe: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A function works although its observer fails, which one line says once."""
    interceptions(observe).install()
    assert [module.double(number) for number in range(3)] == [0, 2, 4]
    [record] = [each for each in caplog.records if each.name == "bot_workbench.emulator.recorder"]
    assert record.getMessage().startswith("The inspector could not record something: ")


def test_wrong_arguments(module: Any) -> None:
    """A call that the function refuses is refused as it was."""
    interceptions(failing_after).install()
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'number'"):
        module.double()


@pytest.mark.parametrize("path", ["gone", "Gone.method", "double.method"])
def test_a_function_that_is_missing(
    module: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A module may lack a function, as an app's own may; its others are watched all the same."""
    rows = [Interception(module.__name__, each, changing) for each in (path, "double")]
    Interceptions(tuple(rows), Recording(lambda _: None)).install()
    assert module.double(1) == 4
    assert [each for each in caplog.records if each.name == "bot_workbench.emulator.recorder"] == []


def changing(_: Recording, call: Arguments) -> Observer:
    """Changes the argument."""
    call["number"] += 1
    yield


def test_somebody_else_replaces_it_too(module: Any) -> None:
    """What another tool has put around the function stays, and nothing is watched any more."""
    watching = interceptions(changing)
    watching.install()
    inner = module.double
    module.double = lambda number: inner(number) + 100
    assert module.double(1) == 104
    watching.remove()
    assert module.double(1) == 102


def test_modules_that_are_imported_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function is watched from when its module is imported; nothing waits for it afterwards."""
    finders = list(sys.meta_path)
    (tmp_path / "watched_module.py").write_text("def double(number):\n    return 2 * number\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    watching = interceptions(changing)
    watching.install()
    module = importlib.import_module("watched_module")
    try:
        assert module.double(1) == 4
        watching.remove()
        assert module.double(1) == 2
    finally:
        del sys.modules["watched_module"]
    assert sys.meta_path == finders
