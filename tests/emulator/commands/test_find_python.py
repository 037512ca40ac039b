"""find_python.sh: the Python that the set-up uses."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "emulator" / "commands" / "find_python.sh"


def found(path: Path, pyenv: Path) -> str:
    """What the script finds with a PATH and a pyenv folder."""
    environ = {"PATH": str(path), "PYENV_ROOT": str(pyenv)}
    ended = subprocess.run(
        ["/bin/sh", str(SCRIPT)], env=environ, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def put(program: Path, script: str) -> Path:
    """A program that runs a shell script."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


RUNS = f'exec {sys.executable} "$@"'
REFUSES = "exit 127"


@pytest.mark.parametrize("name", ["python3.13", "python3"])
def test_on_path(name: str, tmp_path: Path) -> None:
    """python3.13 on PATH, or python3 when it is new enough."""
    program = put(tmp_path / name, RUNS)
    assert found(tmp_path, tmp_path / "none") == str(program)


def test_pyenv(tmp_path: Path) -> None:
    """pyenv's, where the programs on PATH refuse, as its shims do for versions not chosen."""
    put(tmp_path / "path" / "python3.13", REFUSES)
    put(tmp_path / "path" / "python3", REFUSES)
    program = put(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin" / "python3", RUNS)
    assert found(tmp_path / "path", tmp_path / "pyenv") == str(program)
