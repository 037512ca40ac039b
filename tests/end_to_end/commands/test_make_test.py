"""`make test` leaves no processes behind: what its workers had started ends with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.support.reaper import LEFT
from tests.support.timing.condition import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ORPHAN = 'setsid sh -c \'echo $$ > "$1"; exec sleep 300\' sh "$0" & while [ ! -s "$0" ]; do :; done'
"""A shell's command that leaves a process in a session of its own; its id goes to a file."""


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


def reaper(file: Path, then: str) -> subprocess.Popen[str]:
    """Run a command that leaves an orphan process, and then runs something else."""
    command = ["sh", "-c", f"{ORPHAN}; {then}", str(file)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.reaper", *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("then", "status"), [("exit 0", LEFT), ("exit 3", 3)])
def test_an_orphan_is_ended_and_named(then: str, status: int, tmp_path: Path) -> None:
    """It is a failure of a run that had none."""
    with reaper(tmp_path / "pid", then) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == status
    assert "sleep 300" in said
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_ctrl_c(tmp_path: Path) -> None:
    """After Ctrl-C, too, although a worker that is killed cannot clean up."""
    file = tmp_path / "pid"
    with reaper(file, "sleep 300") as process:
        until(lambda: file.exists() and file.read_text() != "")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode != 0
    assert not is_running(int(file.read_text()))
