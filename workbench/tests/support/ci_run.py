"""Run as a program: runs targets to their end, and each test that failed once more, alone.

`make test` stops at the first command that fails. Here every command runs, and one test that
stumbles does not fail the run.

Usage: python -m tests.support.ci_run "TARGET NAME=VALUE ..." ...
"""

import json
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path

import pytest

from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.set_up import set_up
from maintenance.targets import PROGRAMS, Programs
from tests.support.reaper import LEFT
from tests.support.run_record import NAME, RunRecord

MAX_STUMBLES = 3
"""A run passes with so many flaky tests and deaths of processes together."""

MAX_REPEATED = 10
"""If more tests than these fail, something is broken: none is run again, which could take hours."""

SILENCE_SECONDS = 1000.0
"""A pytest process that reports nothing for so long hangs. The longest timeout of a test is 900."""

REFUSED: Mapping[int, str] = {
    pytest.ExitCode.USAGE_ERROR: "pytest refused the command or a conftest.py",
    pytest.ExitCode.NO_TESTS_COLLECTED: "there was no such test",
    LEFT: "it left processes behind",
}
"""Exit statuses that are no test's failure, and that another attempt would not change."""


def main(lines: Sequence[str], targets: Mapping[str, Callable[[], Programs]] = PROGRAMS) -> int:
    """Run targets, each with its variables as after `make`; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        run = CiRun(Path(folder))
        for line in lines:
            run.run(line, targets[line]())
        run.repeat_failed()
        return run.conclude()


class CiRun:
    """A run of several targets.

    Args:
        folder: an empty one, for the records of pytest's runs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: list[tuple[Sequence[str], RunRecord]] = []
        self._counts: Counter[str] = Counter()
        self._stumbles: list[str] = []
        self._failures: list[str] = []

    def run(self, name: str, target: Programs) -> None:
        """Run all commands of a target, whichever fail."""
        try:
            set_up(target.steps)
        except SetUpError as error:
            self._failures.append(f"make {name} - {error}")
            return
        for command in target.commands:
            if "pytest" in command:
                self._run_tests(command)
            elif _call(command):
                self._failures.append(_title(command))

    def repeat_failed(self) -> None:
        """Run each test that failed once more, one after the other in one process."""
        too_many = sum(len(record.failed) for _, record in self._runs) > MAX_REPEATED
        for command, record in self._runs:
            passed: Set[str] = set()
            if record.failed and not too_many:
                passed = self._attempt([*command, "-n", "0"], record.failed).passed
            self._counts.update(passed=len(passed), failed=len(record.failed - passed))
            for test in sorted(record.failed):
                how = "its process died" if test in record.died else "it failed"
                first = f"{test} - {how}"
                if test in passed:
                    self._stumbles.append(f"FLAKY {first}, then it passed alone")
                elif too_many:
                    self._failures.append(f"{first}; more than {MAX_REPEATED} are not run again")
                else:
                    self._failures.append(f"{first}, and it did not pass alone")

    def conclude(self) -> int:
        """Print what stumbled, what failed and how many tests there were.

        Returns:
            The exit status.
        """
        if len(self._stumbles) > MAX_STUMBLES:
            self._failures.append(
                f"{len(self._stumbles)} flaky tests or dead processes, more than {MAX_STUMBLES}"
            )
        failures = [f"FAILED {each}" for each in self._failures]
        counts = (f"{self._counts[name]} {name}" for name in ("passed", "failed", "skipped"))
        print("", *self._stumbles, *failures, f"total: {', '.join(counts)}", sep="\n", flush=True)
        return 1 if failures else 0

    def _run_tests(self, command: Sequence[str]) -> None:
        record = self._attempt(command)
        left = record.collected - record.ended
        self._runs.append((command, record))
        self._counts.update(
            passed=len(record.passed), skipped=len(record.skipped), failed=len(left)
        )
        self._failures += [f"{file} - it cannot be collected" for file in record.not_collected]
        self._failures += [f"{test} - it never ran" for test in sorted(left)]

    def _attempt(self, command: Sequence[str], tests: Set[str] = frozenset()) -> RunRecord:
        """Run these tests, or all; then, if a process dies, those that it has left unrun."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        died = 0
        for _ in range(1 + MAX_STUMBLES):
            status = _pytest(command, folder, tests)
            record = RunRecord.read(folder)
            if status in REFUSED:
                self._failures.append(f"{_title(command)} - {REFUSED[status]}")
                break
            tests = (tests or record.collected) - record.ended
            is_explained = status == 0 or (status == 1 and record.has_failures)
            # A death during a test counts as this test's failure.
            if len(record.died) == died and (tests or not is_explained):
                self._stumbles.append(f"DIED {_title(command)} - outside its tests")
            died = len(record.died)
            if record.collected and not tests:
                break
        return record


def _pytest(command: Sequence[str], folder: Path, tests: Set[str]) -> int:
    """Run these tests, or all; returns the exit status of the process, which ends if it hangs."""
    options = ["-p", "tests.support.run_record", "-o", f"cache_dir={folder}"]
    options.append("--continue-on-collection-errors")
    if tests:
        # Where pytest keeps what failed last: on a command line there is no room for thousands.
        last_failed = folder / "v" / "cache" / "lastfailed"
        last_failed.parent.mkdir(parents=True, exist_ok=True)
        last_failed.write_text(json.dumps(dict.fromkeys(tests, True)), "utf-8")
        options += ["--last-failed", "--last-failed-no-failures", "none"]
    print(f"\n{_title(command)}{f' - {len(tests)} of the tests' if tests else ''}", flush=True)
    record = folder / NAME
    record.touch()
    with subprocess.Popen([*command, *options]) as process:
        try:
            while True:
                try:
                    return process.wait(SILENCE_SECONDS / 10)
                except subprocess.TimeoutExpired:
                    if time.time() - record.stat().st_mtime > SILENCE_SECONDS:
                        print(f"It hangs: no test for {SILENCE_SECONDS:.0f} s", flush=True)
                        process.terminate()
                        record.touch()
        finally:
            process.terminate()  # does nothing if it has ended


def _call(command: Sequence[str]) -> int:
    print(f"\n{_title(command)}", flush=True)
    return subprocess.call(command)


def _title(command: Sequence[str]) -> str:
    """The command without the Python, and the reaper, that run it."""
    start = command.index("pytest") if "pytest" in command else command.index("-m") + 1
    return shlex.join(command[start:])


if __name__ == "__main__":
    # As on Ctrl-C, what it has started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
