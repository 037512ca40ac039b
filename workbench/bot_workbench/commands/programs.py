"""Runs programs one after the other, such as the tools of `bot check`."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bot_workbench.project import APP


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module with this Python."""
    return [sys.executable, "-m", name, *arguments]


def run_programs(commands: Sequence[Sequence[str]], folder: Path = APP) -> NoReturn:
    """Run programs one after the other, whichever fail; exit with the first failure's status.

    After Ctrl-C, the next one is not run. Where a process can be replaced, the last program is this
    process.

    Args:
        commands: the programs, with their arguments.
        folder: where they run.
    """
    os.chdir(folder)
    failures = [status for command in commands[:-1] if (status := _wait_for(command))]
    if failures:
        _wait_for(commands[-1])
        sys.exit(failures[0])
    _become(commands[-1])


def _become(command: Sequence[str]) -> NoReturn:
    """Run a program in place of this process, so that signals reach it and nothing else."""
    sys.stdout.flush()
    if sys.platform != "win32":
        os.execv(command[0], list(command))  # noqa: S606  # this Python
    signal.signal(signal.SIGBREAK, signal.default_int_handler)
    sys.exit(_wait_for(command))


def _wait_for(command: Sequence[str]) -> int:
    """Run a program to its end, which it reaches in its own time after Ctrl-C, too.

    Returns:
        Its exit status, as shells have it. If it was asked to stop, this process exits with it.
    """
    is_stopped = False

    def stop(*_: object) -> None:
        nonlocal is_stopped
        is_stopped = True
        program.terminate()

    with subprocess.Popen(command) as program:
        signal.signal(signal.SIGTERM, stop)
        while True:
            try:
                status = program.wait()
            except KeyboardInterrupt:  # the terminal sends it to the program, too
                is_stopped = True
                continue
            status = status if status >= 0 else 128 - status
            if is_stopped:
                sys.exit(status or 130)
            return status
