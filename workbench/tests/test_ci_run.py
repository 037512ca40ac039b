"""What .ci/run does with a test that fails, and with a process that dies or hangs."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.install_log import InstallLog
from bot_workbench.setup.step import Report
from maintenance.targets import Programs
from tests.support import ci_run

pytestmark = pytest.mark.extended

HEAD = """
import os, pathlib, sys, time
import pytest

def is_first(name):
    file = pathlib.Path(__file__).with_name(name)
    is_first = not file.exists()
    file.touch()
    return is_first
"""
"""The start of each file of tests: `is_first` is true once for each name."""

FLAKY = "def test_flaky(): assert not is_first('flaky')"
PASSES = "def test_passes(): pass"
FAILS = "def test_fails(): assert False"
DIES_ONCE = "def test_dies(): is_first('died') and os._exit(1)"
HANGS_ONCE = """
@pytest.mark.timeout(1, method="thread")
def test_hangs(): is_first('hung') and time.sleep(60)
"""
PARALLEL = ("-n", "2", "--dist", "loadfile", "--max-worker-restart", "0")


class Absent:
    """A step of the set-up that fails."""

    title = "Something"
    weight = 1.0
    is_needed = True

    def is_done(self) -> bool:
        """It is not."""
        return False

    def run(self, report: Report, log: InstallLog) -> str:
        """Fail."""
        raise SetUpError("Something is out of reach.")


@dataclass
class Project:
    """Some tests in a folder.

    Attributes:
        folder: has the files.
        capfd: captures what their processes print.
    """

    folder: Path
    capfd: pytest.CaptureFixture[str]

    def write(self, name: str, *lines: str) -> None:
        """Write a file of tests, or conftest.py."""
        (self.folder / name).write_text("\n".join([HEAD, *lines]), "utf-8")

    def command(self, *options: str) -> list[str]:
        """The command that runs the tests, with no plugin but those that it needs."""
        ini = self.folder / "pytest.ini"
        ini.write_text("[pytest]\naddopts = -p xdist.plugin -p pytest_timeout\n", "utf-8")
        return [sys.executable, "-m", "pytest", "-c", str(ini), *options, str(self.folder)]

    def run(
        self, *commands: Sequence[str], names: Sequence[str] = ("test",)
    ) -> tuple[int, list[str]]:
        """Run commands as CI does; returns the exit status and the last lines."""
        test, absent = Programs([], commands), Programs([Absent()], commands)
        status = ci_run.main(names, {"test": lambda: test, "absent": lambda: absent})
        printed, _ = self.capfd.readouterr()
        print(printed)
        return status, printed.rpartition("\n\n")[2].splitlines()


@pytest.fixture
def project(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A project without tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Project(tmp_path, capfd)


def test_a_flaky_test_is_printed_and_does_not_fail_the_run(project: Project) -> None:
    """It failed among the others, and passed alone."""
    flaky = "def test_flaky(worker_id): assert worker_id == 'master'"
    project.write("test_a.py", flaky, PASSES, "@pytest.mark.skip\ndef test_skipped(): pass")
    project.write("test_b.py", PASSES)
    assert project.run(project.command(*PARALLEL)) == (
        0,
        [
            "FLAKY test_a.py::test_flaky - it failed, then it passed alone",
            "total: 3 passed, 0 failed, 1 skipped",
        ],
    )


def test_every_command_runs(project: Project) -> None:
    """A linter that fails, and a test that also fails alone, fail the run, but do not end it."""
    project.write("test_a.py", FAILS, PASSES)
    project.write("test_b.py", FLAKY, PASSES)
    lint = [sys.executable, "-m", "timeit", "-n1", "1/0"]
    one, other = (project.command("-k", name) for name in ("test_a", "test_b"))
    assert project.run(lint, one, other) == (
        1,
        [
            "FLAKY test_b.py::test_flaky - it failed, then it passed alone",
            "FAILED timeit -n1 1/0",
            "FAILED test_a.py::test_fails - it failed, and it did not pass alone",
            "total: 3 passed, 1 failed, 0 skipped",
        ],
    )


def test_a_target_that_cannot_be_set_up(project: Project) -> None:
    """It fails the run; the next target runs."""
    project.write("test_a.py", PASSES)
    assert project.run(project.command(), names=["absent", "test"]) == (
        1,
        [
            "FAILED make absent - Something is out of reach.",
            "total: 1 passed, 0 failed, 0 skipped",
        ],
    )


@pytest.mark.parametrize("options", [PARALLEL, ()], ids=["parallel", "one process"])
@pytest.mark.parametrize(
    ("name", "code"), [("dies", DIES_ONCE), ("hangs", HANGS_ONCE)], ids=["dies", "hangs"]
)
def test_what_a_dead_process_left_is_run(
    name: str, code: str, options: Sequence[str], project: Project
) -> None:
    """Its death counts as the failure of the test that it ran."""
    project.write("test_a.py", code, PASSES)
    for number in range(9):
        project.write(f"test_b{number}.py", PASSES)
    assert project.run(project.command(*options)) == (
        0,
        [
            f"FLAKY test_a.py::test_{name} - its process died, then it passed alone",
            "total: 11 passed, 0 failed, 0 skipped",
        ],
    )


def test_a_test_that_passed_after_the_death_of_its_worker(project: Project) -> None:
    """pytest-xdist may give it to another worker; it is named, and counted once."""
    died = "pytest.TestReport('test_a.py::test_passes', ('', 0, ''), {}, 'failed', '', '???')"
    report = f"is_first('died') and session.ihook.pytest_runtest_logreport(report={died})"
    project.write("conftest.py", f"def pytest_collection_finish(session): {report}")
    project.write("test_a.py", PASSES)
    assert project.run(project.command()) == (
        0,
        [
            "FLAKY test_a.py::test_passes - its process died, then it passed alone",
            "total: 1 passed, 0 failed, 0 skipped",
        ],
    )


def test_a_process_that_dies_again_leaves_no_test_out(project: Project) -> None:
    """What was to run after it, alone, runs too."""
    project.write("test_a.py", "def test_dies(): os._exit(1)", FLAKY, PASSES)
    assert project.run(project.command()) == (
        1,
        [
            "FLAKY test_a.py::test_flaky - it failed, then it passed alone",
            "FAILED test_a.py::test_dies - its process died, and it did not pass alone",
            "total: 2 passed, 1 failed, 0 skipped",
        ],
    )


@pytest.mark.parametrize("end", ["os._exit(1)", "time.sleep(60)"])
def test_a_process_may_die_or_hang_outside_a_test(
    end: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is then ended, and counts by itself."""
    monkeypatch.setattr(ci_run, "SILENCE_SECONDS", 5)
    project.write("conftest.py", f"def pytest_sessionstart(): is_first('started') and {end}")
    project.write("test_a.py", PASSES)
    command = project.command()
    status, lines = project.run(command)
    # On a busy machine another attempt may be late, too.
    assert (status, lines[0], lines[-1]) == (
        0,
        f"DIED {shlex.join(command[2:])} - outside its tests",
        "total: 1 passed, 0 failed, 0 skipped",
    )


def test_a_process_that_always_dies_fails_the_run(project: Project) -> None:
    """There is an end to the attempts."""
    project.write("conftest.py", "os._exit(1)")
    project.write("test_a.py", PASSES)
    status, lines = project.run(project.command())
    assert (status, lines[-2:]) == (
        1,
        [
            "FAILED 4 flaky tests or dead processes, more than 3",
            "total: 0 passed, 0 failed, 0 skipped",
        ],
    )


@pytest.mark.parametrize(("flaky", "expected"), [(3, 0), (4, 1)])
def test_more_than_three_flaky_tests_fail_the_run(
    flaky: int, expected: int, project: Project
) -> None:
    """All are printed."""
    project.write(
        "test_a.py", *(f"def test_{n}(): assert not is_first('{n}')" for n in range(flaky))
    )
    status, lines = project.run(project.command())
    assert status == expected
    assert [line.partition(" ")[0] for line in lines] == [
        *["FLAKY"] * flaky,
        *["FAILED"] * expected,
        "total:",
    ]


def test_a_broken_project_ends_soon(project: Project) -> None:
    """More than ten tests that failed are not run again."""
    project.write("test_a.py", *(f"def test_{n}(): assert not is_first('{n}')" for n in range(11)))
    status, lines = project.run(project.command())
    assert (status, lines[-1]) == (1, "total: 0 passed, 11 failed, 0 skipped")


@pytest.mark.parametrize("options", [PARALLEL, ()], ids=["parallel", "one process"])
def test_a_file_that_cannot_be_imported(options: Sequence[str], project: Project) -> None:
    """It fails the run; the tests of other files run."""
    project.write("test_a.py", "import nothing_of_this_name")
    project.write("test_b.py", PASSES)
    assert project.run(project.command(*options)) == (
        1,
        [
            "FAILED test_a.py - it cannot be collected",
            "total: 1 passed, 0 failed, 0 skipped",
        ],
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the reaper is for Linux")
def test_what_no_other_attempt_would_change(project: Project) -> None:
    """A command without tests fails the run, and so does one that leaves a process behind."""
    project.write(
        "test_a.py", "import subprocess", "def test_it(): subprocess.Popen(['sleep', '60'])"
    )
    none, leaving = project.command("-k", "nothing"), project.command()
    status, lines = project.run(none, [sys.executable, "-m", "tests.support.reaper", *leaving])
    assert (status, lines) == (
        1,
        [
            f"FAILED {shlex.join(none[2:])} - there was no such test",
            f"FAILED {shlex.join(leaving[2:])} - it left processes behind",
            "total: 1 passed, 0 failed, 0 skipped",
        ],
    )
