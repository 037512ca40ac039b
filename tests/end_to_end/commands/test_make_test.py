"""`make test` leaves no processes behind: what its tests and its workers started ends with them."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.reaper import LEFT
from tests.support.timing.condition import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

COMMAND = """
import subprocess, sys, time
orphan = subprocess.Popen(["sleep", "300"], start_new_session=True)
with open(sys.argv[1], "w") as file:
    file.write(str(orphan.pid))
time.sleep(float(sys.argv[2]))
sys.exit(int(sys.argv[3]))
"""
"""Leaves a process in a session of its own. In a shell, Ctrl-C may end a loop, not the command."""


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


def reaper(file: Path, seconds: int, status: int) -> Program:
    """Run a command that leaves an orphan process, whose id goes to the file, and then ends."""
    command = [sys.executable, "-c", COMMAND, str(file), str(seconds), str(status)]
    return Program(
        [sys.executable, "-m", "tests.support.reaper", *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("ended", "status"), [(0, LEFT), (3, 3)])
def test_an_orphan_is_ended_and_named(ended: int, status: int, tmp_path: Path) -> None:
    """It is a failure of a run that had none."""
    with reaper(tmp_path / "pid", 0, ended) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == status
    assert "sleep 300" in said
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_a_failing_test_kills_its_program() -> None:
    """A test that fails while its program runs does not wait for it."""
    program = Program([sys.executable, "-c", "import time; time.sleep(300)"], text=True)
    with contextlib.suppress(LookupError), program:
        raise LookupError
    assert program.returncode == -signal.SIGKILL


def test_a_program_that_has_ended() -> None:
    """A test that waits for another line fails."""
    with (
        Program([sys.executable, "-c", ""], stdout=subprocess.PIPE, text=True) as program,
        pytest.raises(AssertionError, match="it has ended"),
    ):
        program.line()


def test_ctrl_c(tmp_path: Path) -> None:
    """After Ctrl-C, too, although a worker that is killed cannot clean up."""
    file = tmp_path / "pid"
    with reaper(file, 300, 0) as process:
        until(lambda: file.exists() and file.read_text() != "")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode != 0
    assert not is_running(int(file.read_text()))
