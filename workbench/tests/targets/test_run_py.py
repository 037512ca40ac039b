"""run.py: finds the Python that does the rest, whatever Python starts it."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.project import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its programs are shell scripts")

OLD = """
import runpy, sys
sys.version_info = (3, 9, 0)
sys.path[0] = ""
runpy.run_path("run.py", run_name="__main__")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose run.py is the real one, without a virtual environment."""
    folder = tmp_path / "a project"
    (folder / "emulator" / "targets").mkdir(parents=True)
    shutil.copyfile(ROOT / "run.py", folder / "run.py")
    for package in (folder / "emulator", folder / "emulator" / "targets"):
        (package / "__init__.py").touch()
    command_line = folder / "emulator" / "targets" / "command_line.py"
    command_line.write_text(
        "import sys\n\ndef main(words):\n    print(sys.version_info[:2] >= (3, 13), *words)\n"
        "    return 3\n"
    )
    return folder


def put(program: Path, script: str) -> Path:
    """A program that runs a shell script."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


ELSEWHERE = [
    Path(folder, "python3.13") for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
]
"""Where run.py looks whatever PATH is."""

RUNS = f'echo found "$0"; exec {sys.executable} "$@"'
REFUSES = "exit 127"


def ended(project: Path, path: Path, pyenv: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Start run.py with a Python that is too old, and with a PATH of the test's own."""
    environ = {"PATH": str(path), "PYENV_ROOT": str(pyenv)}
    return subprocess.run(
        [sys.executable, "-c", OLD, *words],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["python3.13", "python3"])
def test_on_path(name: str, project: Path, tmp_path: Path) -> None:
    """python3.13 on PATH, or python3 if it is new enough; it gets every word."""
    put(tmp_path / "path" / name, RUNS)
    done = ended(project, tmp_path / "path", tmp_path / "none", "run", "BOT=a bot")
    assert done.returncode == 3, done
    assert done.stdout.splitlines()[-1] == "True run BOT=a bot"


def test_pyenv(project: Path, tmp_path: Path) -> None:
    """pyenv's, where the programs on PATH refuse, as its shims do for versions not chosen."""
    put(tmp_path / "path" / "python3.13", REFUSES)
    put(tmp_path / "path" / "python3", REFUSES)
    program = put(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin" / "python3", RUNS)
    done = ended(project, tmp_path / "path", tmp_path / "pyenv", "check")
    assert f"found {program}" in done.stdout
    assert done.stdout.splitlines()[-1] == "True check"


def test_the_environment_comes_first(project: Path, tmp_path: Path) -> None:
    """The project's own environment is there already, and its Python is new enough."""
    program = put(project / ".venv" / "bin" / "python", RUNS)
    put(tmp_path / "path" / "python3.13", REFUSES)
    done = ended(project, tmp_path / "path", tmp_path / "none", "check")
    assert f"found {program}" in done.stdout


def test_clean_is_not_run_by_what_it_removes(project: Path, tmp_path: Path) -> None:
    """The environment cannot remove itself on Windows; the Python that it was made with can."""
    venv.create(project / ".venv", symlinks=True)
    command_line = project / "emulator" / "targets" / "command_line.py"
    command_line.write_text(
        "import sys\n\ndef main(words):\n    print(sys.prefix == sys.base_prefix, *words)\n"
    )
    own = [str(project / ".venv" / "bin" / "python"), "run.py"]
    for words, is_base in (["clean"], True), (["check"], False):
        done = subprocess.run(
            [*own, *words], cwd=project, capture_output=True, text=True, check=True, timeout=100
        )
        assert done.stdout == f"{is_base} {words[0]}\n"
    done = ended(project, tmp_path, tmp_path, "clean")
    assert done.stdout == "True clean\n"


@pytest.mark.skipif(any(map(Path.exists, ELSEWHERE)), reason="it would be found")
def test_none(project: Path, tmp_path: Path) -> None:
    """Without one, a line says how to get it."""
    done = ended(project, tmp_path, tmp_path, "run")
    assert done.returncode == 1
    assert done.stdout.startswith("Python 3.13 is missing: install it")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12"])
def test_old_pythons_can_run_it(version: str, project: Path, tmp_path: Path) -> None:
    """The file has nothing that they lack: they find the new one."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    old = next(iter(sorted(pyenv.glob(f"{version}.*/bin/python3"))), None)
    if old is None:
        pytest.skip(f"pyenv has no Python {version}")
    put(tmp_path / "path" / "python3.13", RUNS)
    done = subprocess.run(
        [str(old), "run.py", "check"],
        cwd=project,
        env={"PATH": str(tmp_path / "path")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["True check"], done
