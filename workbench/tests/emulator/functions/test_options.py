"""The command line of the Functions host."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bot_workbench.emulator.functions.options import HostOptions
from tests.support.project import ROOT


def test_defaults() -> None:
    """Port 7071, in the host's own process, on uvloop in the version of Azure's worker."""
    options = HostOptions.parse(["--app", str(ROOT)])
    assert (options.port, options.workers, options.loop) == (7071, None, "uvloop")
    assert version("uvloop").startswith("0.21.")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--app", "no folder"], "--app: no folder is not a folder"),
        (["--app", ".", "--workers", "0"], "--workers"),
        (["--app", ".", "--workers", "-1"], "--workers"),
        (["--app", ".", "--workers", "two"], "--workers"),
        ([], "--app"),
    ],
)
def test_invalid_argument_is_named(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing folder, and what is no whole number above 0, end the command with status 2."""
    with pytest.raises(SystemExit) as exited:
        HostOptions.parse(arguments)
    assert exited.value.code == 2
    assert named in capsys.readouterr().err


def test_workers_get_the_options_of_their_host(tmp_path: Path) -> None:
    """A worker's command line repeats what concerns the app, and neither port nor workers.

    Azure's keys are URL-safe base64: one in 64 begins with a hyphen.
    """
    log = tmp_path / "lost.log"
    shared = ["--app", str(tmp_path), "--function-key=-k", "--master-key=-m"]
    shared += ["--specialize", "--lost-log", str(log), "--log-level", "ERROR", "--loop", "asyncio"]
    command = HostOptions.parse([*shared, "--workers", "2", "--port", "1"]).worker_command()
    assert command == [sys.executable, "-m", "bot_workbench.emulator.functions", *shared]
    expected = vars(HostOptions.parse(shared))
    assert vars(HostOptions.parse(command[3:])) == expected


def test_command_is_a_module() -> None:
    """`python -m bot_workbench.emulator.functions --help` describes the options."""
    command = [sys.executable, "-m", "bot_workbench.emulator.functions", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python -m bot_workbench.emulator.functions ")
