"""`python -m admin`, whose packages are installed at its first use."""

import subprocess
import sys
from importlib import invalidate_caches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]


def has_packages() -> bool:
    """Whether this Python has what admin/requirements.txt names, in these very versions."""
    lines = (ROOT / "admin" / "requirements.txt").read_text("utf-8").splitlines()
    pins = (line.split("==") for line in lines if "==" in line)
    try:
        return all(version(name) == wanted for name, wanted in pins)
    except PackageNotFoundError:
        return False


if __name__ == "__main__":
    is_own = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    if is_own and not has_packages():
        # Standard output is for what a command answers.
        set_up = [sys.executable, str(ROOT / "run.py"), "setup"]
        if subprocess.call(set_up, stdout=sys.stderr):  # noqa: S603  # words of ours
            sys.exit(1)
        invalidate_caches()
    try:
        from admin.command_line import main

        main()
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing: run `make setup`, then `.venv/bin/python -m admin`.")
