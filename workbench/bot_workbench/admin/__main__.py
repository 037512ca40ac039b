"""`bot`, whose packages are installed at its first use."""

import os
import signal
import sys

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # While packages are imported, KeyboardInterrupt could be raised anywhere in them.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))

import subprocess  # noqa: E402  # slow, as the following
from importlib import import_module, invalidate_caches  # noqa: E402
from importlib.metadata import PackageNotFoundError, version  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).parents[3]


def has_packages() -> bool:
    """Whether this Python has what workbench/bot_workbench/admin/requirements.txt names, in these very versions."""
    lines = (
        (ROOT / "workbench" / "bot_workbench" / "admin" / "requirements.txt")
        .read_text("utf-8")
        .splitlines()
    )
    pins = (line.split("==") for line in lines if "==" in line)
    try:
        return all(version(name) == wanted for name, wanted in pins)
    except PackageNotFoundError:
        return False


def run() -> None:
    """Import the command of the command line, and run it.

    Raises:
        ModuleNotFoundError: a package is missing.
    """
    from bot_workbench.admin.command_line import COMMANDS, main

    for name in sys.argv[1:2]:
        if name in COMMANDS:
            import_module(COMMANDS[name])
    try:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # commands handle it
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    is_own = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    if is_own and not has_packages():
        # Standard output is for what a command answers.
        set_up = [sys.executable, str(ROOT / "run.py"), "setup"]
        if subprocess.call(set_up, stdout=sys.stderr):  # words of ours
            sys.exit(1)
        invalidate_caches()
    try:
        run()
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing: run `make setup`, then `bot`.")
