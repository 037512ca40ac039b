"""ExportingProcess: exporting_program in a process of its own, because providers are global."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.program import Program
from tests.support.project import ROOT


class ExportingProcess:
    """The program with these variables, as a context manager; it is killed at the end.

    Args:
        settings: the environment.
        log: file for what it logs.
        options: more arguments.
    """

    def __init__(self, settings: Mapping[str, str], log: Path, *options: str) -> None:
        self._environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
        self._options = options
        self._log = log
        self._program: Program | None = None

    def __enter__(self) -> Self:
        module = "tests.support.telemetry.exporting_program"
        with self._log.open("w") as log:
            self._program = Program(
                [sys.executable, "-m", module, *self._options],
                env=self._environ,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._program.line() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        program = self._started()
        program.kill()
        program.communicate()

    def does(self, line: str) -> str:
        """The output of the program once it has done this."""
        program = self._started()
        assert program.stdin is not None
        program.stdin.write(f"{line}\n")
        program.stdin.flush()
        return program.line().strip()

    def _started(self) -> Program:
        assert self._program is not None
        return self._program

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._started().pid

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End the process at once, as the Functions host does."""
        self._started().send_signal(by)
        self._started().wait()

    @property
    def logged(self) -> list[str]:
        """The lines of its log so far."""
        return self._log.read_text().splitlines()
