"""`python -m admin`, whose packages are installed at its first use."""

import subprocess
import sys
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

RUN = Path(__file__).parents[1] / "run.py"


def install() -> None:
    """Install what the commands need, unless this Python has it; exits if it cannot."""
    if find_spec("typer"):  # stands for all of admin/requirements.txt
        return
    # Standard output is for what a command answers.
    done = subprocess.run([sys.executable, str(RUN), "setup"], stdout=sys.stderr, check=False)
    invalidate_caches()
    if done.returncode or not find_spec("typer"):
        sys.exit(
            "These commands need the packages of admin/requirements.txt: `make setup` installs"
            " them for the Python of .venv."
        )


if __name__ == "__main__":
    install()
    from admin.command_line import main

    main()
