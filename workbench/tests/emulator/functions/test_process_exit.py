"""How an app's process ends, and what it may write: as in Azure."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.bots.surroundings_app import SurroundingsApp, surroundings
from tests.support.timing.condition import until

Mode = tuple[str, ...]
MODES = pytest.mark.parametrize("mode", [(), ("--workers", "1")], ids=["alone", "workers"])


@pytest.fixture
def app(tmp_path: Path) -> SurroundingsApp:
    """An app that notes which of its handlers run."""
    return SurroundingsApp(tmp_path)


@MODES
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_host_with_0(
    app: SurroundingsApp, mode: Mode, number: signal.Signals
) -> None:
    """On SIGINT and SIGTERM no exit, signal or log handler of the app runs."""
    with app.running("--log-level", "WARNING", *mode) as (process, caller):
        assert (surroundings(caller)["pid"] == process.pid) == (not mode)
        os.kill(process.pid, number)
        until(lambda: process.returncode is not None)
    assert process.returncode == 0
    assert process.log.read_text() == ""
    assert app.note == ""


@MODES
def test_sigkill_runs_no_handlers(app: SurroundingsApp, mode: Mode) -> None:
    """No handler runs either when the app's process gets SIGKILL."""
    with app.running(*mode) as (_, caller):
        os.kill(surroundings(caller)["pid"], signal.SIGKILL)
    assert app.note == ""


@pytest.mark.parametrize("function", ["block", "block-in-a-thread"])
def test_signal_ends_the_host_while_a_function_blocks(app: SurroundingsApp, function: str) -> None:
    """Neither a function that blocks the loop nor one in a thread keeps the process alive."""
    with app.running() as (process, caller), ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.send, "GET", f"/api/{function}", [])
        until(lambda: app.note == "blocked")
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: process.returncode is not None)
        with pytest.raises(ConnectionError):
            call.result()
    assert process.returncode == 0


@MODES
def test_read_only_folder(app: SurroundingsApp, mode: Mode) -> None:
    """Python writes no .pyc files, and the host of an app that writes nothing exits with 0."""
    with app.running(*mode, "--read-only") as (process, caller):
        assert surroundings(caller)["folder"]
    assert process.returncode == 0
    assert not list(app.folder.rglob("*.pyc"))


@MODES
@pytest.mark.parametrize("name", ["new.txt", "a_module.py"])
def test_write_into_a_read_only_folder(app: SurroundingsApp, mode: Mode, name: str) -> None:
    """The log names each file that the app wrote into its folder, and the host exits with 1."""
    with app.running(*mode, "--read-only") as (process, caller):
        assert caller.send("GET", f"/api/write?name={name}", []).status == 200
    assert process.returncode == 1
    log = process.log.read_text()
    assert log.count("is read-only in Azure, but was written to: ") == 1
    assert str(app.folder / name) in log


def test_write_into_a_read_only_folder_before_a_function_blocks(app: SurroundingsApp) -> None:
    """The host exits with 1 even if a function then blocks its event loop."""
    with app.running("--read-only") as (process, caller), ThreadPoolExecutor(1) as pool:
        assert caller.send("GET", "/api/write?name=new.txt", []).status == 200
        pool.submit(caller.send, "GET", "/api/block", [])
        until(lambda: app.note == "blocked")
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: process.returncode is not None)
    assert process.returncode == 1
    assert str(app.folder / "new.txt") in process.log.read_text()
