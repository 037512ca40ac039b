"""`bot` installs its packages at its first use."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.interrupted_start import interrupted
from tests.support.project import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose set-up says that it runs, and whose commands say what they answer."""
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "__main__.py").write_text((ROOT / "admin" / "__main__.py").read_text())
    (tmp_path / "admin" / "requirements.txt").write_text("# these\npytest==0.1\n")
    (tmp_path / "admin" / "command_line.py").write_text(
        "COMMANDS = {}\ndef main():\n    print('the answer')\n"
    )
    (tmp_path / "run.py").write_text("import sys\nprint('run.py', *sys.argv[1:])\n")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def ended(project: Path) -> "subprocess.CompletedProcess[str]":
    """The command."""
    command = [sys.executable, "-m", "bot_workbench"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_other_versions_are_replaced(project: Path) -> None:
    """Standard output has only the answer."""
    done = ended(project)
    assert (done.stdout, done.stderr) == ("the answer\n", "run.py setup\n")


def test_nothing_is_set_up_twice(project: Path) -> None:
    """Not what is there in its version."""
    (project / "admin" / "requirements.txt").write_text(f"pytest=={pytest.__version__}\n")
    done = ended(project)
    assert (done.stdout, done.stderr) == ("the answer\n", "")


def test_a_set_up_that_fails(project: Path) -> None:
    """It has said why."""
    (project / "run.py").write_text("import sys\nsys.exit('no network')\n")
    done = ended(project)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "no network\n")


def test_another_python_installs_nothing(project: Path) -> None:
    """It says which one to use, if it lacks a package."""
    (project / ".venv").unlink()
    assert ended(project).stdout == "the answer\n"
    (project / "admin" / "command_line.py").write_text("import absent_package\n")
    done = ended(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("absent_package is missing: run `make setup`, then `.venv/bin/")


@pytest.mark.parametrize(
    "module",
    [
        "importlib.metadata",
        "rich.text",
        "typer",
        "azure.core",
        "bot_workbench.admin.migrate.status.report",
    ],
)
def test_ctrl_c_while_it_starts(module: str) -> None:
    """Nothing has been done: no traceback."""
    words = ("migrate", "status", "--bot", "contoso-bot")
    ended = interrupted("admin", *words, after=module)
    assert (ended.status, ended.errors.strip()) == (130, "")
