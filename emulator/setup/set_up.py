"""Installs what a command needs."""

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from emulator.setup.errors import SetUpError
from emulator.setup.page_libraries import WrongPackageError
from emulator.setup.progress import Progress
from emulator.setup.step import SetUpStep


def set_up(steps: Sequence[SetUpStep], stream: TextIO = sys.stdout) -> None:
    """Do the steps that are not done yet, and print what the user has to know, in a few lines.

    If a step fails that the command can do without, its error is printed.

    Args:
        steps: in the order in which they are done.
        stream: takes the lines.

    Raises:
        SetUpError: a step that is needed cannot be done.
    """
    due = [step for step in steps if not step.is_done()]
    if not due:
        return
    started = time.monotonic()
    with Progress(due, stream) as progress:
        lines = [_done(step, progress) for step in due]
    seconds = time.monotonic() - started
    for line in filter(None, lines):
        print(line, file=stream)
    print(f"Set up in {seconds:.0f} s, in .venv and .cache.", file=stream, flush=True)


def _done(step: SetUpStep, progress: Progress) -> str:
    progress.start(step)
    try:
        return step.run(progress.report)
    except WrongPackageError:
        raise
    except SetUpError as error:
        if step.is_needed:
            raise
        return str(error)
