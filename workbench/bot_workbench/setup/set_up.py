"""Installs what a command needs."""

import contextlib
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from importlib import invalidate_caches
from pathlib import Path
from typing import NoReturn, TextIO

from bot_workbench.file_lock import FileLock
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError, WrongPackageError
from bot_workbench.setup.install_log import InstallLog
from bot_workbench.setup.progress import Progress
from bot_workbench.setup.step import SetUpStep

LOGS = APP / ".cache" / "setup"
TICK_SECONDS = 0.2

STOP_SECONDS = 2.0
"""The time that pip has to remove its temporary files before it is killed. npm would take longer,
to undo what it has done, which nobody needs."""


def set_up(steps: Sequence[SetUpStep], stream: TextIO = sys.stdout, logs: Path = LOGS) -> None:
    """Do the steps that are not done yet, all at the same time, and print what the user must know.

    If a step fails that the command can do without, its error is printed.

    Args:
        steps: those that the command needs.
        stream: takes the lines.
        logs: the folder for the output of pip and npm, in a file for each step.

    Raises:
        SetUpError: Node.js or npm is missing, and nothing was done; or a step that is needed cannot
            be done, and the other ones have ended.
        WrongPackageError: a package is not the pinned one.
    """
    due = [step for step in steps if not step.is_done()]
    if not due:
        return
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing and any(step.needs_node for step in due):
        raise SetUpError(
            f"Missing: {', '.join(missing)}. Install Node.js 20 or newer, with npm"
            " (https://nodejs.org), then run the command again."
        )
    with _alone(stream, logs):
        _set_up([step for step in due if not step.is_done()], stream, logs)


def ready(*steps: SetUpStep, stream: TextIO = sys.stdout) -> None:
    """Do the steps that are not done yet, if this Python is that of the app's own environment.

    Elsewhere, such as in a pipeline, there is what was installed for it.

    Raises:
        SetUpError: see `set_up`.
    """
    if Path(sys.prefix).resolve() == (APP / ".venv").resolve():
        set_up(steps, stream)
        invalidate_caches()


def _set_up(due: Sequence[SetUpStep], stream: TextIO, logs: Path) -> None:
    if not due:
        return  # another process has done it
    started = time.monotonic()
    futures = _run(due, stream, logs)
    lines: list[str] = []
    losses: dict[str, list[str]] = {}
    fatal: list[SetUpError] = []
    for step, future in zip(due, futures, strict=True):
        try:
            lines.append(future.result())
        except SetUpError as error:
            if step.is_needed or isinstance(error, WrongPackageError):
                fatal.append(error)
            else:
                losses.setdefault(error.reason, []).append(error.loss)
    for each in fatal:
        losses.pop(each.reason, None)  # they share its line
    lines += [" ".join(filter(None, (reason, *texts))) for reason, texts in losses.items()]
    for line in filter(None, [*lines, *map(str, fatal[1:])]):
        print(line, file=stream, flush=True)
    if fatal:
        raise fatal[0]
    if any(future.exception() is None and not future.result() for future in futures):
        seconds = time.monotonic() - started
        print(f"Set up in {seconds:.0f} s.", file=stream, flush=True)


@contextlib.contextmanager
def _alone(stream: TextIO, logs: Path) -> Iterator[None]:
    """Wait until no other process sets up the same folders."""
    logs.mkdir(parents=True, exist_ok=True)
    with FileLock(logs / "lock") as lock:
        if not lock.taken():
            print("Another set-up runs: waiting for it.", file=stream, flush=True)
            while not lock.taken():
                time.sleep(TICK_SECONDS)
        yield


def _run(due: Sequence[SetUpStep], stream: TextIO, logs: Path) -> "Sequence[Future[str]]":
    """Run all steps to their end."""
    progress = Progress(due, stream)
    outputs = [InstallLog(logs / f"{_file_name(step.title)}.log") for step in due]
    futures: dict[Future[str], SetUpStep] = {}
    with _signals_raised(), ThreadPoolExecutor(len(due)) as threads:
        try:
            for number, (step, log) in enumerate(zip(due, outputs, strict=True)):
                report = partial(progress.report, number)
                futures[threads.submit(step.run, report, log)] = step
            running = set(futures)
            while running:
                progress.show()
                # With a timeout, because Ctrl-C does not end a wait on Windows.
                ended, running = wait(running, TICK_SECONDS, FIRST_COMPLETED)
                for future in sorted(ended, key=list(futures).index):
                    progress.end(futures[future], failed=future.exception() is not None)
        except BaseException:
            _stop(outputs, [*futures])
            raise
        finally:
            progress.clear()
    return [*futures]


def _stop(outputs: Sequence[InstallLog], futures: "Sequence[Future[str]]") -> None:
    """End what the steps run; a second Ctrl-C ends it at once."""
    try:
        for log in outputs:
            log.stop()
        wait(futures, STOP_SECONDS)
    finally:
        for log in outputs:
            log.kill()


@contextlib.contextmanager
def _signals_raised() -> Iterator[None]:
    """SIGTERM, and a terminal that is closed, are exceptions, as Ctrl-C is."""

    def leave(number: int, _frame: object) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)  # make passes on what its group gets, too
        sys.exit(128 + number)

    numbers = [signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` wants it
        numbers.append(signal.SIGHUP)
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _file_name(title: str) -> str:
    """The pages' libraries: pages-libraries."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower().removeprefix("the ")).strip("-")
