"""The set-up: few lines, nothing twice, and a cure for what is missing."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator.setup.errors import SetUpError
from emulator.setup.install_log import InstallLog
from emulator.setup.npm.packages import NpmPackages
from emulator.setup.npm.registry import registry
from emulator.setup.python_packages import PythonPackages
from emulator.setup.set_up import set_up
from emulator.setup.step import Report


@dataclass
class WrittenStep:
    """A step that a test writes."""

    title: str
    does: Callable[[], str] = lambda: ""
    is_needed: bool = True
    weight: float = 1.0
    runs: list[str] = field(default_factory=list)

    def is_done(self) -> bool:
        """After its first run."""
        return bool(self.runs)

    def run(self, report: Report) -> str:
        """Do what the test has written."""
        self.runs.append(self.title)
        report(0.5)
        return self.does()


def fail() -> str:
    """What fails."""
    raise SetUpError("It is missing: install it.")


class Terminal(io.StringIO):
    """Takes output as a terminal does."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_step_is_a_line_and_happens_once() -> None:
    """Where there is no terminal; a second set-up prints nothing."""
    steps = [WrittenStep("The first"), WrittenStep("The second")]
    stream = io.StringIO()
    set_up(steps, stream)
    first, second, end = stream.getvalue().splitlines()
    assert (first, second) == ("Set-up 1/2: The first", "Set-up 2/2: The second")
    assert end.startswith("Set up in ")
    set_up(steps, again := io.StringIO())
    assert again.getvalue() == ""
    assert [each.runs for each in steps] == [["The first"], ["The second"]]


def test_a_terminal_has_one_live_line() -> None:
    """It is gone in the end; only the last line stays."""
    set_up([WrittenStep("The first"), WrittenStep("The second")], stream := Terminal())
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().rpartition("\r")[2].startswith("Set up in ")
    assert "\x1b" not in stream.getvalue()


def test_what_is_not_needed_may_fail() -> None:
    """It is a line, and what comes after it is installed."""
    after = WrittenStep("After")
    set_up([WrittenStep("Azurite", fail, is_needed=False), after], stream := io.StringIO())
    assert "It is missing: install it.\n" in stream.getvalue()
    assert after.is_done()


def test_what_is_needed_stops_the_set_up() -> None:
    """Nothing after it is tried."""
    after = WrittenStep("After")
    with pytest.raises(SetUpError, match="install it"):
        set_up([WrittenStep("Python", fail), after], io.StringIO())
    assert not after.is_done()


@pytest.fixture
def log(tmp_path: Path) -> InstallLog:
    """A log of the test's own."""
    return InstallLog(tmp_path / "setup.log")


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
    packages = PythonPackages("The packages", tmp_path / "a venv", [file], [], log=log)
    assert not packages.is_done()
    assert packages.run(lambda _: None) == ""
    assert packages.is_done()
    file.write_text("left-pad==1.0\nright-pad==2.0\n", "utf-8")
    assert not packages.is_done()
    with pytest.raises(SetUpError) as caught:
        packages.run(lambda _: None)
    assert "there is no network" in str(caught.value)
    assert "Missing: left-pad 1.0, right-pad 2.0." in str(caught.value)
    assert str(log.file) in str(caught.value)
    assert "left-pad" in log.file.read_text("utf-8")
    # Another version of an installed package: the run goes on with what there is.
    file.write_text("pip==0.1\n", "utf-8")
    assert "Going on with what is installed" in packages.run(lambda _: None)
    assert not packages.is_done()


@pytest.mark.parametrize("settings", ["home = /usr\nversion = 3.12.1\n", "version = 3.13.1\n"])
def test_an_unusable_environment_is_made_again(
    settings: str, tmp_path: Path, log: InstallLog
) -> None:
    """One of an old Python, or one that was left half made, is replaced, not updated."""
    file = tmp_path / "requirements.txt"
    file.touch()
    old = tmp_path / "venv"
    (old / "bin").mkdir(parents=True)
    (old / "bin" / "python").symlink_to(sys.executable)
    (old / "pyvenv.cfg").write_text(settings, "utf-8")
    (old / "left").touch()
    packages = PythonPackages("The packages", old, [file], [], log=log)
    packages.run(lambda _: None)
    assert packages.is_done()
    assert not (old / "left").exists()


def test_without_npm(tmp_path: Path, log: InstallLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what to install, and what does not work without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    packages = NpmPackages("Azurite", tmp_path / "azurite", ["a@1"], "State is in memory.", log=log)
    with pytest.raises(SetUpError, match=r"npm is missing: install Node\.js .* State is in memory"):
        packages.run(lambda _: None)
    quiet = NpmPackages(
        "Azurite", tmp_path / "azurite", ["a@1"], "", says_without_npm=False, log=log
    )
    assert quiet.is_done()


def test_the_registry_is_npms(tmp_path: Path) -> None:
    """A setting or .npmrc names another one."""
    assert registry({}, tmp_path) == "https://registry.npmjs.org"
    (tmp_path / ".npmrc").write_text("//x/:_auth=1\nregistry=https://example.com/npm/\n", "utf-8")
    assert registry({}, tmp_path) == "https://example.com/npm"
    assert registry({"npm_config_registry": "https://other.example"}, tmp_path) == (
        "https://other.example"
    )
