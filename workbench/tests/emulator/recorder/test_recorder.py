"""The recorder: it leaves everything as it was, and never stands in a turn's way."""

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
from bot_workbench.emulator.functions.workers.protocol import Message, StatusResult, TypedData
from bot_workbench.emulator.recorder import libraries
from bot_workbench.emulator.recorder.libraries import FUNCTIONS, Libraries, LibraryFunction
from bot_workbench.emulator.recorder.recorder import HOOK, Observer, Recorder, start_recorder
from bot_workbench.emulator.recorder.recording import Facts, Observe, Recording, Watching
from bot_workbench.emulator.recorder.watches import EVENTS, SPANS
from http_client import observer
from tests.support.project import ROOT
from tests.support.recording.feed_thread import FeedThread
from tests.support.timing.condition import SECONDS


def watched() -> dict[str, int]:
    """The moments that are watched, each with the number of its observers."""
    return {name: len(each.watches) for name, each in observer._moments.items() if each.watches}


def with_tables(before: dict[str, int], *tables: Any) -> dict[str, int]:
    """Those, and once more each moment in tables."""
    names = {*before, *(name for table in tables for name in table)}
    return {name: before.get(name, 0) + sum(name in table for table in tables) for name in names}


def library_functions() -> list[Any]:
    """The functions of libraries that the recorder may replace, as they are now."""
    return [
        vars(getattr(importlib.import_module(each.module), each.owner))[each.name]
        for each in FUNCTIONS
    ]


def recorder_of(feed: FeedThread) -> Recorder:
    """A recorder that is started, in a process that has imported the app."""
    address = FeedAddress.of(feed.settings)
    assert address is not None
    recorder = Recorder(address, {})
    recorder.start()
    recorder.app_imported()
    return recorder


@pytest.fixture
def feed() -> Iterator[FeedThread]:
    """A feed."""
    with FeedThread() as thread:
        yield thread


def test_everything_is_put_back(feed: FeedThread) -> None:
    """Once it is closed, nothing of it is left."""
    before, functions, factory = watched(), library_functions(), logging.getLogRecordFactory()
    recorder = recorder_of(feed)
    assert watched() == with_tables(before, EVENTS, SPANS)
    assert not {*functions} & {*library_functions()}
    assert logging.getLogRecordFactory() != factory
    recorder.close()
    assert (watched(), library_functions()) == (before, functions)
    assert logging.getLogRecordFactory() == factory


def test_without_a_feed_there_is_none() -> None:
    """A process that no local cloud has started is not watched."""
    assert start_recorder({}) is None


async def test_an_app_without_moments(feed: FeedThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an app that is not made of the base, the runs of functions are recorded."""
    monkeypatch.delitem(sys.modules, HOOK)
    before, functions = watched(), library_functions()
    recorder = recorder_of(feed)
    turn = "1" * 32

    async def run() -> Message:
        return Message(result=Message(status=StatusResult.Success))

    await recorder.invoke("own", TypedData(string="input"), f"00-{turn}-{'2' * 16}-01", run())
    assert feed.wait_for_end(turn)["outcome"] == "done"
    assert feed.one(turn, "turn_started")["input"] == "input"
    assert (watched(), library_functions()) == (before, functions)
    recorder.close()


def test_nothing_is_imported() -> None:
    """A bot that does not use a library does not have it imported to be watched."""
    program = (
        "import sys\n"
        "from bot_workbench.emulator.recorder.libraries import Libraries\n"
        "from bot_workbench.emulator.recorder import recorder\n"
        "Libraries().install(lambda name: lambda function: function)\n"
        "print(recorder.HOOK in sys.modules)\n"
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
    assert done.stdout == "False\n[]\n"


@observer.moment("test.double")
def double(number: int) -> int:
    """A moment."""
    return 2 * number


@pytest.fixture
def watch() -> Iterator[Any]:
    """Attach an observer of it; in the end, it is detached."""
    attached: list[Observer] = []

    def attach(observe: Observe) -> None:
        attached.append(Observer({"test.double": Recording(lambda _: None).watch(observe)}))
        observer.attach(attached[-1])

    yield attach
    for each in attached:
        observer.detach(each)


def failing_before(_: Recording, __: Facts) -> Watching:
    """Fails before the call."""
    raise ValueError("observer")
    yield


def failing_after(_: Recording, call: Facts) -> Watching:
    """Fails after the call."""
    yield
    raise KeyError(call["number"])


def failing_name(_: Recording, call: Facts) -> Watching:
    """Looks for a parameter that has another name by now."""
    call["amount"]
    yield


@pytest.mark.parametrize("observe", [failing_before, failing_after, failing_name])
def test_faults_of_observers(
    watch: Any, observe: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    """A function works although its observer fails, which one line says once."""
    watch(observe)
    assert [double(number) for number in range(3)] == [0, 2, 4]
    [record] = caplog.records
    assert record.name == "bot_workbench.emulator.recorder"
    assert record.getMessage().startswith("The inspector could not record something: ")


PROGRAM = """
class Sum:
    def add(self, number):
        return 1 + number
"""


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of functions is another one, half of which is missing."""
    names = (("Sum", "add"), ("Sum", "gone"), ("Gone", "add"))
    functions = [LibraryFunction("watched_library", *each, "sum") for each in names]
    monkeypatch.setattr(libraries, "FUNCTIONS", tuple(functions))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library that is in it, which has not been imported."""
    (tmp_path / "watched_library.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("watched_library", None)


def tenfold(_: str) -> libraries.Wrap:
    """In place of the app's decorator: multiplies the result."""
    return lambda function: lambda *args: 10 * function(*args)


def added(module: types.ModuleType) -> int:
    """The result of a new Sum."""
    result: int = module.Sum().add(1)
    return result


@pytest.mark.usefixtures("table", "library")
@pytest.mark.parametrize("is_early", [True, False])
def test_libraries(is_early: bool) -> None:
    """A library's function is replaced whenever it is imported, and put back."""
    finders, found = list(sys.meta_path), Libraries()
    module = importlib.import_module("watched_library") if is_early else None
    found.install(tenfold)
    module = module or importlib.import_module("watched_library")
    assert added(module) == 20
    found.replace()
    assert added(module) == 20
    found.remove()
    found.replace()
    assert added(module) == 2
    assert sys.meta_path == finders


@pytest.mark.usefixtures("table", "library")
def test_somebody_else_replaces_it_too() -> None:
    """A function that another tool has replaced since stays as it is."""
    found, module = Libraries(), importlib.import_module("watched_library")
    found.install(tenfold)
    module.Sum.add = tenfold("")(module.Sum.add)
    found.remove()
    assert added(module) == 200
