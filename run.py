"""Every command of the project, on every system: `python run.py COMMAND ...`.

`make` calls it, too. It makes the environment, in .venv, and starts `bot` in it; without a command,
`bot run`. It needs nothing but some Python 3: it looks for Python 3.13 or newer, which does the
rest.
"""

# Python 3.7 must be able to run this file: no newer syntax, no newer modules.
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WORKBENCH = ROOT / "workbench"
"""The repository of the base has it; in that of a bot's author, it is an installed package."""

REQUIREMENTS = ROOT / "requirements-dev.txt"
"""Names the workbench in a line of its own, there as a wheel."""

WHEEL = "bot-workbench"
ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONHOME", "PYTHONPATH")
"""Variables by which pip would install into another environment."""

BUILT = (".venv", ".cache", "artifacts", "workbench/bot_workbench/third_party")
WANTED = (3, 13)
IS_WINDOWS = os.name == "nt"
PYTHON = ROOT / ".venv" / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")
PIP = PYTHON.with_name("pip.exe" if IS_WINDOWS else "pip")
TEST = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {WANTED})"
MISSING = (
    "Python 3.13 with venv is missing: install it (Windows: winget install Python.Python.3.13;"
    " macOS: brew install python@3.13; Debian: apt-get install python3.13-venv;"
    " pyenv install 3.13)."
)


def candidates() -> Iterator[list[str]]:
    """Commands that may start a Python that is new enough, the quickest first."""
    yield [str(PYTHON)]
    if IS_WINDOWS:
        yield from (["py", "-3.13"], ["py", "-3"], ["python3.13"], ["python3"], ["python"])
        return
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


def set_up_workbench(words: list[str]) -> str:
    """Make an environment with the workbench, which installs what else a command needs.

    Args:
        words: the command line.

    Returns:
        Why that is not possible; or nothing.
    """
    if WORKBENCH.is_dir():
        sys.path.insert(0, str(WORKBENCH))
        from bot_workbench.setup.errors import SetUpError
        from bot_workbench.setup.set_up import set_up
        from maintenance.tools import needs_of

        try:
            set_up(needs_of(words), sys.stderr)  # commands answer on the other
        except SetUpError as error:
            return str(error)
        return ""
    stamp = PYTHON.parent.parent / ".workbench"
    text = REQUIREMENTS.read_text("utf-8-sig", "replace") if REQUIREMENTS.exists() else ""
    found = (line.partition(" #")[0].strip() for line in text.splitlines())
    wanted = next((line for line in found if line.startswith(WHEEL)), "")
    if not wanted:
        return f"No line of {REQUIREMENTS.name} begins with {WHEEL}: restore it."
    # The Python that it was made with may be gone, and pip is what venv writes last.
    works = fits([str(PYTHON)]) and PIP.exists()
    if works and stamp.exists() and stamp.read_text("utf-8") == wanted:
        return ""
    print("Set-up: .venv, with the workbench", file=sys.stderr)  # commands answer on the other
    if stamp.exists():
        stamp.unlink()  # what an interrupted pip leaves is not what was there before
    base = getattr(sys, "_base_executable", sys.executable)  # not of another environment
    # pip ignores another wheel of the version that is installed.
    options = ["--force-reinstall", "--no-deps", "--quiet", "--disable-pip-version-check"]
    commands = [
        [base, "-m", "venv", "--clear", ".venv"],
        [str(PYTHON), "-m", "pip", "install", *options, wanted],
    ]
    environ = {name: text for name, text in os.environ.items() if name not in ELSEWHERE}
    for command in commands[works:]:
        if subprocess.call(command, cwd=str(ROOT), env=environ):
            return "The workbench cannot be installed: the lines above say why."
    stamp.write_text(wanted, "utf-8")
    return ""


def clean() -> int:
    """Remove everything that was installed or built."""
    for name in BUILT:
        path = ROOT / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    return 0


def main() -> int:
    """Find a Python that is new enough, make the environment, and start `bot` in it."""
    words = sys.argv[1:]
    if not words or "=" in words[0]:
        words = ["run", *words]
    if IS_WINDOWS:
        os.environ["PYTHONUTF8"] = "1"  # whatever the console's code page
    # Debian has ensurepip, which makes the environment, in a package of its own.
    can_make_one = PYTHON.exists() or find_spec("ensurepip") is not None
    if sys.version_info < WANTED or not can_make_one:
        found = next((command for command in candidates() if fits(command)), None)
        if found is None:
            print(MISSING, file=sys.stderr)
            return 1
        return become([*found, str(ROOT / "run.py"), *words])
    os.chdir(str(ROOT))
    if words == ["clean"]:
        base = getattr(sys, "_base_executable", sys.executable)
        if IS_WINDOWS and base != sys.executable:  # an environment cannot remove itself there
            return become([base, str(ROOT / "run.py"), *words])
        return clean()
    problem = set_up_workbench(words)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    package = "maintenance" if WORKBENCH.is_dir() else "bot_workbench"
    return become([str(PYTHON), "-m", package, *words])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
