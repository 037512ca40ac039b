"""Ctrl-C while a program imports its packages."""

import signal
import subprocess
import sys
from dataclasses import dataclass

from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import SECONDS


@dataclass(frozen=True)
class Ended:
    """How it ended.

    Attributes:
        status: exit status.
        errors: standard error, without what Python says of its imports.
    """

    status: int
    errors: str


def interrupted(module: str, *words: str, after: str) -> Ended:
    """Run `python -m MODULE WORDS`, and interrupt it when it has imported another module."""
    command = [sys.executable, "-X", "importtime", "-m", module, *words]
    with Program(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        for line in program.stderr:
            if line.rsplit("|", 1)[-1].strip() == after:
                program.send_signal(signal.SIGINT)
                break
        left = [line for line in program.stderr if not line.startswith("import time:")]
        return Ended(program.wait(SECONDS), "".join(left))
