"""The set-up: few lines, nothing twice, and a cure for what is missing."""

import io
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot_workbench.file_lock import FileLock
from bot_workbench.setup import python_packages
from bot_workbench.setup.errors import SetUpError, WrongPackageError
from bot_workbench.setup.install_log import NO_NETWORK, InstallLog
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.set_up import set_up
from bot_workbench.setup.step import Report
from tests.support.timing.condition import until


@dataclass
class WrittenStep:
    """A step that a test writes."""

    title: str
    does: Callable[[], str] = lambda: ""
    is_needed: bool = True
    weight: float = 1.0
    runs: list[str] = field(default_factory=list)
    needs_node: bool = False

    def is_done(self) -> bool:
        """After its first run."""
        return bool(self.runs)

    def run(self, report: Report, log: InstallLog) -> str:
        """Do what the test has written."""
        self.runs.append(self.title)
        report(0.5)
        return self.does()


def fails(error: SetUpError) -> Callable[[], str]:
    """What raises an error."""

    def fail() -> str:
        raise error

    return fail


MISSING = SetUpError("It is missing: install it.", "There is no page.")


class Terminal(io.StringIO):
    """Takes output as a terminal does."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_step_is_a_line_and_happens_once() -> None:
    """Where there is no terminal; a second set-up prints nothing."""
    steps = [WrittenStep("The first"), WrittenStep("The second")]
    set_up(steps, stream := io.StringIO())
    *ends, last = stream.getvalue().splitlines()
    assert sorted(end.rpartition(": ")[2] for end in ends) == ["The first", "The second"]
    assert [end.partition(":")[0] for end in ends] == ["Set-up 1/2", "Set-up 2/2"]
    assert last.startswith("Set up in ")
    set_up(steps, again := io.StringIO())
    assert again.getvalue() == ""
    assert [each.runs for each in steps] == [["The first"], ["The second"]]


def test_steps_run_at_the_same_time() -> None:
    """Each of two waits until the other one runs."""
    both = threading.Barrier(2, timeout=30)

    def meet() -> str:
        both.wait()
        return ""

    steps = [WrittenStep(name, meet) for name in ("One", "Other")]
    set_up(steps, io.StringIO())
    assert all(step.is_done() for step in steps)


def test_a_terminal_has_one_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fits into the terminal, and is gone in the end; only the last line stays."""
    monkeypatch.setenv("COLUMNS", "50")
    set_up([WrittenStep("The first"), WrittenStep("The second")], stream := Terminal())
    _, live, *_ = stream.getvalue().split("\r")
    assert live.startswith("Set-up [")
    assert len(live) == 49
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().rpartition("\r")[2].startswith("Set up in ")
    assert "\x1b" not in stream.getvalue()


def test_what_is_not_needed_may_fail() -> None:
    """It is a line; what fails for the same reason shares it."""
    other = SetUpError(MISSING.reason, "There is no storage.")
    steps = [
        WrittenStep("Pages", fails(MISSING), is_needed=False),
        WrittenStep("Python"),
        WrittenStep("Azurite", fails(other), is_needed=False),
    ]
    set_up(steps, stream := io.StringIO())
    assert (
        "\nIt is missing: install it. There is no page. There is no storage.\nSet up in "
        in stream.getvalue()
    )


def test_a_needed_step_that_fails_for_the_same_reason() -> None:
    """One line has it, as without a network."""
    steps = [
        WrittenStep("Pages", fails(MISSING), is_needed=False),
        WrittenStep("Python", fails(SetUpError(MISSING.reason, "Missing: a."))),
    ]
    with pytest.raises(SetUpError, match=r"^It is missing: install it\. Missing: a\.$"):
        set_up(steps, stream := io.StringIO())
    assert stream.getvalue() == ""


def test_nothing_is_set_up() -> None:
    """If all steps fail, it does not claim the contrary."""
    set_up([WrittenStep("Pages", fails(MISSING), is_needed=False)], stream := io.StringIO())
    assert stream.getvalue() == "It is missing: install it. There is no page.\n"


@pytest.mark.parametrize(
    ("error", "is_needed"), [(MISSING, True), (WrongPackageError("It is another one."), False)]
)
def test_what_stops_the_set_up(error: SetUpError, is_needed: bool) -> None:
    """A step that is needed, and any package that is not the pinned one; the others have ended."""
    other = WrittenStep("Other")
    steps = [
        WrittenStep("Python", fails(error), is_needed=is_needed),
        WrittenStep("Azurite", fails(SetUpError("It is old.")), is_needed=False),
        other,
    ]
    with pytest.raises(type(error), match=str(error)):
        set_up(steps, stream := io.StringIO())
    assert other.is_done()
    assert stream.getvalue().endswith("\nIt is old.\n")


@pytest.fixture
def log(tmp_path: Path) -> InstallLog:
    """A log of the test's own."""
    return InstallLog(tmp_path / "setup.log")


def test_each_program_has_a_log(tmp_path: Path) -> None:
    """Though two write at once, an error has its own program's words."""
    written = threading.Barrier(2, timeout=30)

    def on_line(_line: str) -> None:
        written.wait()

    @dataclass
    class Failing(WrittenStep):
        def run(self, report: Report, log: InstallLog) -> str:
            code = "import sys; sys.exit('ERROR: ' + sys.argv[1])"
            assert not log.run([sys.executable, "-c", code, self.title], on_line)
            raise SetUpError(f"{log.reason()} in {log.file.name}")

    steps = [Failing(name, is_needed=False) for name in ("The pages' files", "Azurite")]
    set_up(steps, stream := io.StringIO(), tmp_path)
    *_, pages, azurite = stream.getvalue().splitlines()
    assert pages == "The pages' files in pages-files.log"
    assert azurite == "Azurite in azurite.log"
    assert (tmp_path / "azurite.log").read_text("utf-8").endswith("\nERROR: Azurite\n")


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip's index is a port that nothing listens on."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_index")
def test_offline(tmp_path: Path, log: InstallLog) -> None:
    """Without a network the missing packages are named; what is installed needs none."""
    file = tmp_path / "requirements.txt"
    file.write_text("# nothing yet\n", "utf-8")
    packages = PythonPackages("The packages", tmp_path / "a venv", [file], [])
    assert not packages.is_done()
    assert packages.run(lambda _: None, log) == ""
    assert packages.is_done()
    file.write_text("left-pad==1.0\nright-pad==2.0\n", "utf-8")
    assert not packages.is_done()
    with pytest.raises(SetUpError) as caught:
        packages.run(lambda _: None, log)
    assert "there is no network" in str(caught.value)
    assert "Missing: left-pad 1.0, right-pad 2.0." in str(caught.value)
    assert str(log.file) in str(caught.value)
    assert "left-pad" in log.file.read_text("utf-8")
    # Another version of an installed package: the run goes on with what there is.
    file.write_text("pip==0.1\n", "utf-8")
    assert "Going on with what is installed" in packages.run(lambda _: None, log)
    assert not packages.is_done()


BACKEND = """
import os
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with open("builds", "a") as builds:
        builds.write("x")
    info, here = "mine-1.dist-info", os.getcwd()
    with zipfile.ZipFile(os.path.join(folder, "mine-1-py3-none-any.whl"), "w") as archive:
        archive.writestr("mine.pth", here)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: mine\\nVersion: 1\\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/RECORD", "")
    return "mine-1-py3-none-any.whl"
"""
"""Builds a project editable, and counts how often."""


@pytest.mark.usefixtures("no_index")
def test_a_project_is_installed_editable(tmp_path: Path, log: InstallLog) -> None:
    """Without a network, and again only if its pyproject.toml changes, not with each file."""
    project, file = tmp_path / "a project", tmp_path / "requirements.txt"
    project.mkdir()
    settings = (
        '[build-system]\nrequires = ["absent"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (project / "pyproject.toml").write_text(settings)
    (project / "backend.py").write_text(BACKEND)
    (project / "mine.py").write_text("")
    file.write_text(f"-e {project}\n", "utf-8")
    packages = PythonPackages("The packages", tmp_path / "venv", [file], [])

    def builds() -> int:
        """How often it was built, once all is installed."""
        assert packages.run(lambda _: None, log) == ""
        assert packages.is_done()
        subprocess.run([packages.python, "-c", "import mine"], check=True)
        return len((project / "builds").read_text())

    assert builds() == 1
    (project / "mine.py").write_text("# changed")
    assert packages.is_done()
    file.write_text(f"-e {project}\npip>=1\n", "utf-8")
    assert not packages.is_done()
    assert builds() == 1
    (project / "pyproject.toml").write_text(f"{settings}# changed\n")
    assert not packages.is_done()
    assert builds() == 2
    (project / "pyproject.toml").write_text(f"{settings}# broken\n")
    (project / "backend.py").write_text("raise RuntimeError('it is broken')")
    with pytest.raises(SetUpError, match=r"^The packages cannot be installed: "):
        packages.run(lambda _: None, log)
    assert not packages.is_done()


@pytest.mark.parametrize(
    ("settings", "programs"),
    [
        ("home = /usr\nversion = 3.12.1\n", ["pip"]),
        ("version = 3.13.1\n", ["pip"]),
        ("home = /usr\nversion = 3.13.1\n", []),
        ("home = /usr\nversion = 3.13.1\ncommand = python -m venv /elsewhere/.venv\n", ["pip"]),
    ],
    ids=["old", "no home", "interrupted before pip was there", "moved"],
)
def test_an_unusable_environment_is_made_again(
    settings: str, programs: list[str], tmp_path: Path, log: InstallLog
) -> None:
    """One of an old Python, left half made or moved is replaced, not updated."""
    file = tmp_path / "requirements.txt"
    file.touch()
    old = tmp_path / "venv"
    (old / "bin").mkdir(parents=True)
    (old / "bin" / "python").symlink_to(sys.executable)
    (old / "pyvenv.cfg").write_text(settings, "utf-8")
    for name in (*programs, "../left"):
        (old / "bin" / name).touch()
    packages = PythonPackages("The packages", old, [file], [])
    packages.run(lambda _: None, log)
    assert packages.is_done()
    assert not (old / "left").exists()


@pytest.mark.parametrize("option", ["--clear", "--upgrade-deps", '--prompt="my bot"'])
def test_an_environment_that_was_made_by_hand(option: str, tmp_path: Path, log: InstallLog) -> None:
    """It is used: `venv` has noted its options, too."""
    file, folder = tmp_path / "requirements.txt", tmp_path / "a venv"
    file.touch()
    packages = PythonPackages("The packages", folder, [file], [])
    packages.run(lambda _: None, log)
    noted = (folder / "pyvenv.cfg").read_text("utf-8")
    made = noted.replace(
        f"-m venv {folder}", f"-m venv {option} --without-scm-ignore-files {folder}"
    )
    assert made != noted
    (folder / "pyvenv.cfg").write_text(made, "utf-8")
    assert packages.is_done()


def test_an_environment_that_has_the_workbench(
    tmp_path: Path, log: InstallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an author's repository, this would remove itself: somebody else must."""
    file = tmp_path / "requirements.txt"
    file.touch()
    installed = tmp_path / ".venv" / "lib" / "site-packages"
    installed.mkdir(parents=True)
    monkeypatch.setattr(python_packages, "WORKBENCH", installed.resolve())
    with pytest.raises(SetUpError, match=r"run\.py clean"):
        PythonPackages("The packages", tmp_path / ".venv", [file], []).run(lambda _: None, log)
    assert installed.exists()


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [
                "ERROR: Ignored the following versions that require a different python version: 0",
                "ERROR: No matching distribution found for a==1",
            ],
            "No matching distribution found for a==1",
        ),
        (
            ["error: subprocess-exited-with-error", "\u00d7 Getting requirements did not run."],
            "Getting requirements did not run",
        ),
        (["npm error code E404", "npm error 404 Not Found"], "404 Not Found"),
        (["npm ERR! code E404", "npm ERR! 404 Not Found"], "404 Not Found"),
        (["npm error code EAI_AGAIN"], NO_NETWORK),
        (["no word of an error"], "no word of an error"),
    ],
)
def test_the_reason_of_a_failure(lines: list[str], reason: str, log: InstallLog) -> None:
    """The first line in words."""
    code = "import sys; print(*sys.argv[1:], sep='\\n'); sys.exit(1)"
    assert not log.run([sys.executable, "-X", "utf8", "-c", code, *lines])
    assert log.reason() == reason


def test_one_set_up_at_a_time(tmp_path: Path) -> None:
    """Another process that sets up the same folders is waited for, and does what it has done."""
    step = WrittenStep("The first")
    with FileLock(tmp_path / "lock") as lock:
        assert lock.taken()
        stream = io.StringIO()
        waiting = threading.Thread(target=set_up, args=([step], stream, tmp_path))
        waiting.start()
        until(lambda: "Another set-up runs: waiting for it.\n" in stream.getvalue())
        step.runs.append("by the other process")
    waiting.join()
    assert step.runs == ["by the other process"]
    assert "Set-up 1/1" not in stream.getvalue()
