"""MakeTarget: a make command that runs until Ctrl-C, as a user has it in a terminal."""

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Self

from tests.support.project import ROOT

START_TIMEOUT = 120
STOP_TIMEOUT = 60


def environ_of_make() -> dict[str, str]:
    """This environment without what the make of the tests has set, such as its variables."""
    return {name: value for name, value in os.environ.items() if "MAKE" not in name}


class MakeTarget:
    """Runs `make TARGET NAME=VALUE ...` in a process group of its own.

    Args:
        target: of the Makefile.
        ready: pattern of the line that says that it runs; its group 1 is `found`.
        log: file that takes the output.
        variables: of the Makefile.
    """

    def __init__(self, target: str, ready: str, log: Path, variables: dict[str, str]) -> None:
        settings = [f"{name}={value}" for name, value in variables.items()]
        self._command = ["make", target, *settings]
        self._ready = re.compile(ready)
        self._log = log
        self.found = ""
        self.output: list[str] = []
        self._seen = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environ_of_make(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        if not self._seen.wait(START_TIMEOUT) or not self.found:
            self.stop()
            raise AssertionError("it did not start:\n" + "".join(self.output))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with self._log.open("w") as log:
            for line in process.stdout:
                self.output.append(line)
                log.write(line)
                if match := self._ready.search(line):
                    self.found = match[1]
                    self._seen.set()
        self._seen.set()

    def stop(self) -> None:
        """Press Ctrl-C, and wait until everything that it started has ended.

        Raises:
            subprocess.TimeoutExpired: something lives on; it is killed.
        """
        process = self._process
        assert process is not None
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            # The pipe is closed only when the last child that has it is gone.
            self._reader.join(STOP_TIMEOUT)
            assert not self._reader.is_alive(), "a child of make lives on"
            assert process.stdout is not None
            process.stdout.close()
