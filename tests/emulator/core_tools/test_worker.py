"""`func start` with the recorder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from emulator.cloud import Cloud
from emulator.core_tools.environment import STARTUP, with_recorder
from tests.support.bots.app_folder import app_with
from tests.support.core_tools.core_tools import CoreTools
from tests.support.recording.feed_thread import Event, FeedThread
from tests.support.recording.recorded_bot import APP, BOT, RecordedBot
from tests.support.timing.condition import SECONDS

WORKER = ("worker.py", "--host", "127.0.0.1", "--port", "1", "--workerId", "a")
"""How the command line of Core Tools' worker ends."""

HAS_STARTED = 'import sys; print("emulator.recorder.recorder" in sys.modules)'
"""A program that says whether the recorder has started in its process."""


@pytest.fixture
def feed() -> Iterator[FeedThread]:
    """A feed, for which turns are recorded in detail."""
    with FeedThread() as thread:
        thread.record(True)
        yield thread


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudThread]:
    """A local cloud of the test's own."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    with CloudThread(Cloud(folder)) as thread:
        yield thread


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app whose bot does what messages say."""
    return app_with(tmp_path / "app", APP)


@pytest.fixture
def core_tools(
    app: Path, cloud: CloudThread, feed: FeedThread, tmp_path: Path
) -> Iterator[CoreTools]:
    """Core Tools, running the app."""
    with CoreTools(app, cloud.cloud.settings() | feed.settings, tmp_path) as running:
        yield running


def states(feed: FeedThread) -> list[str]:
    """The states that workers have reported."""
    return [each["state"] for each in feed.kinds("status")]


def newest(feed: FeedThread) -> Event:
    """The newest report."""
    return feed.kinds("status")[-1]


def test_turns_are_recorded(core_tools: CoreTools, cloud: CloudThread, feed: FeedThread) -> None:
    """The worker reports that the bot is ready, and then each turn in detail."""
    feed.wait(lambda: states(feed) == ["starting", "ready"])
    core_tools.wait_until_it_listens()
    turn = RecordedBot(cloud, core_tools.messages, feed).say("count")
    assert feed.one(turn, "turn_started")["activity"]["text"] == "count"
    assert feed.one(turn, "turn_ended")["outcome"] == "done"
    assert feed.one(turn, "claims")["verified"] is True
    assert feed.one(turn, "call")["request"]["text"] == "Count: 1"
    writes = [each for each in feed.of(turn, "state") if each["op"] == "write"]
    assert writes[-1]["after"]["count"] == 1
    assert "The inspector cannot show" not in core_tools.log.read_text()


@pytest.mark.usefixtures("core_tools")
def test_one_process_reports(feed: FeedThread) -> None:
    """Of the programs that Core Tools run, only the worker connects to the feed."""
    feed.wait(lambda: "ready" in states(feed))
    assert [each["role"] for each in feed.kinds("connected")] == ["worker"]


def test_a_reload(core_tools: CoreTools, cloud: CloudThread, feed: FeedThread, app: Path) -> None:
    """A saved file is a new worker: nothing answers while it starts, then the new code does."""
    feed.wait(lambda: "ready" in states(feed))
    file = app / "bot_logic" / "__init__.py"
    file.write_text(BOT.replace("You said", "You wrote"))
    feed.wait(lambda: states(feed) == ["starting", "ready"] * 2)
    core_tools.wait_until_it_listens()
    turn = RecordedBot(cloud, core_tools.messages, feed).say("hello")
    assert feed.one(turn, "call")["request"]["text"] == "You wrote: hello"


@pytest.mark.usefixtures("core_tools")
def test_a_syntax_error(feed: FeedThread, app: Path) -> None:
    """Code that does not load is reported with its place, and the next save is tried."""
    feed.wait(lambda: "ready" in states(feed))
    file = app / "bot_logic" / "__init__.py"
    file.write_text("import os\ndef create_bot(services)\n    pass\n")
    feed.wait(lambda: states(feed)[-1] == "broken")
    assert newest(feed)["text"] == "bot_logic/__init__.py:2 SyntaxError: expected ':'"
    file.write_text(BOT)
    feed.wait(lambda: states(feed)[-1] == "ready")


@pytest.mark.usefixtures("core_tools")
def test_an_error_in_the_app_itself(feed: FeedThread, app: Path) -> None:
    """An app that the worker cannot index is reported, too."""
    feed.wait(lambda: "ready" in states(feed))
    (app / "function_app.py").unlink()
    (app / "function_app.py").write_text("import no_such_module\n")
    feed.wait(lambda: states(feed)[-1] == "broken")
    text = newest(feed)["text"]
    assert text == "function_app.py:1 ModuleNotFoundError: No module named 'no_such_module'"


@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        ((*WORKER,), True),
        (("-m", "debugpy", "--listen", "5678", *WORKER), True),
        (("-c", HAS_STARTED), False),
        (("-m", "debugpy.adapter"), False),
        (("worker.py",), False),
    ],
)
def test_which_programs_report(
    feed: FeedThread, tmp_path: Path, arguments: tuple[str, ...], starts: bool
) -> None:
    """The recorder starts in the worker, with a debugger or without, and in no other program."""
    debugger = tmp_path / "debugpy"
    debugger.mkdir()
    (debugger / "__init__.py").touch()
    for file in (tmp_path / "worker.py", debugger / "__main__.py", debugger / "adapter.py"):
        file.write_text(HAS_STARTED)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=with_recorder(feed.settings),
        timeout=SECONDS,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(starts)]


def test_another_sitecustomize_runs(feed: FeedThread, tmp_path: Path) -> None:
    """The one that Python would find without the recorder's runs, and is what is imported."""
    (tmp_path / "sitecustomize.py").write_text("MINE = True\nprint('mine')")
    environ = with_recorder({**feed.settings, "PYTHONPATH": str(tmp_path)})
    program = "import sitecustomize; print(sitecustomize.MINE)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["mine", "True"]


def test_without_a_feed_nothing_changes() -> None:
    """Without a feed, Core Tools get the environment as it is."""
    environ = {"PATH": "/bin", "PYTHONPATH": "/mine"}
    assert with_recorder(environ) == environ


def test_the_folder_is_named_first(feed: FeedThread) -> None:
    """What PYTHONPATH names already stays, behind the recorder's folder."""
    environ = with_recorder({**feed.settings, "PYTHONPATH": "/mine"})
    assert environ["PYTHONPATH"].split(os.pathsep) == [str(STARTUP), "/mine"]


def test_a_fault_does_not_stop_the_worker(tmp_path: Path) -> None:
    """If the recorder cannot start, the worker runs all the same, and one line says so."""
    (tmp_path / "worker.py").write_text("print('works')")
    environ = with_recorder({"BOT_FEED": f"{2**40}:secret"})
    done = subprocess.run(
        [sys.executable, *WORKER], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert done.stdout == "works\n"
