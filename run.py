"""Every command of the project, on every system: `python run.py COMMAND NAME=VALUE ...`.

`make` calls it, too. Without a command it runs the bot; `python run.py help` lists the commands.
It needs nothing but some Python 3: it looks for Python 3.13 or newer, which then sets up the rest.
"""

# Python 3.7 must be able to run this file: no newer syntax, no newer modules.
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WANTED = (3, 13)
IS_WINDOWS = os.name == "nt"
TEST = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {WANTED})"
MISSING = (
    "Python 3.13 is missing: install it (Windows: winget install Python.Python.3.13;"
    " macOS: brew install python@3.13; Debian: apt-get install python3.13-venv;"
    " pyenv install 3.13)."
)


def candidates() -> Iterator[list[str]]:
    """Commands that may start a Python that is new enough, the quickest first."""
    if IS_WINDOWS:
        yield [str(ROOT / ".venv" / "Scripts" / "python.exe")]
        yield from (["py", "-3.13"], ["py", "-3"], ["python3.13"], ["python3"], ["python"])
        return
    yield [str(ROOT / ".venv" / "bin" / "python")]
    yield ["python3.13"]
    yield ["python3"]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in ("3.13*", "3.1[4-9]*"):
        for program in sorted(pyenv.glob(version + "/bin/python3")):
            yield [str(program)]
    for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"):
        yield [folder + "/python3.13"]


def fits(command: list[str]) -> bool:
    """Whether a command starts a Python that is new enough and can make virtual environments.

    A pyenv shim or the Microsoft Store's alias may be on PATH and yet refuse to run.
    """
    try:
        quiet = subprocess.DEVNULL
        return subprocess.call([*command, "-c", TEST], stdout=quiet, stderr=quiet) == 0
    except OSError:
        return False


def is_own() -> bool:
    """Whether this Python is that of the project's virtual environment."""
    return (
        sys.prefix != sys.base_prefix and Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    )


def become(command: list[str]) -> int:
    """Run a command in place of this process; returns only where a process cannot be replaced."""
    sys.stdout.flush()
    if not IS_WINDOWS:
        os.execvp(command[0], command)
    signal.signal(getattr(signal, "SIGBREAK", signal.SIGINT), signal.default_int_handler)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass  # the console sends it to the process, too


def main() -> int:
    """Find a Python that is new enough, and let it do the rest."""
    if IS_WINDOWS:
        os.environ["PYTHONUTF8"] = "1"  # whatever the console's code page
    words = [str(ROOT / "run.py"), *sys.argv[1:]]
    if sys.version_info >= WANTED:
        if words[1:2] == ["clean"] and is_own():
            # A virtual environment cannot remove itself on Windows.
            return become([getattr(sys, "_base_executable", sys.executable), *words])
        sys.path.insert(0, str(ROOT / "workbench"))
        from bot_workbench.targets.command_line import main as run

        return run(words[1:])
    for command in candidates():
        if fits(command):
            return become([*command, *words])
    print(MISSING)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
