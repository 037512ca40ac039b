"""`make test` leaves no processes behind: what its workers had started ends with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import Program, is_running
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
"""Leaves a process in a session of its own. Not a shell script: after Ctrl-C a shell may go on with
its next command."""


def reaper(file: Path, seconds: int, status: int) -> Program:
    """Run a command that writes an orphan's process id to a file, and ends after some seconds."""
    command = [sys.executable, "-c", COMMAND, str(file), str(seconds), str(status)]
    return Program(
        [sys.executable, "-m", "tests.support.reaper", *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("status", "expected"), [(0, LEFT), (3, 3)])
def test_an_orphan_is_ended_and_named(status: int, expected: int, tmp_path: Path) -> None:
    """It is a failure of a run that had none."""
    with reaper(tmp_path / "pid", 0, status) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == expected
    assert "sleep 300" in said
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_ctrl_c(tmp_path: Path) -> None:
    """After Ctrl-C, too, although a worker that is killed cannot clean up."""
    file = tmp_path / "pid"
    with reaper(file, 300, 0) as process:
        until(lambda: file.exists() and file.read_text() != "")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode != 0
    assert not is_running(int(file.read_text()))
