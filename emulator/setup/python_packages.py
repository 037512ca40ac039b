"""PythonPackages: a virtual environment with the packages of a requirements file."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path

from emulator.setup.errors import SetUpError
from emulator.setup.install_log import ROOT, InstallLog
from emulator.setup.stamp import Stamp
from emulator.setup.step import Report

OLDEST = (3, 13)
IS_WINDOWS = sys.platform == "win32"
MAX_NAMES = 4

NO_NETWORK = "there is no network, or it needs a proxy (HTTPS_PROXY)"


def python_of(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")


@dataclass(frozen=True)
class PythonPackages:
    """A set-up step: a virtual environment, updated in place when its requirements change.

    Attributes:
        title: as people are shown it.
        folder: of the virtual environment.
        files: requirements files, the one to install first; the others are those it includes.
        weight: see SetUpStep.
    """

    title: str
    folder: Path
    files: Sequence[Path]
    weight: float = 40
    is_needed: bool = True
    log: InstallLog = field(default_factory=InstallLog)

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return python_of(self.folder)

    def is_done(self) -> bool:
        """Whether the packages of these very files are installed."""
        return self._stamp().fits() and self._is_usable()

    def run(self, report: Report) -> str:
        """Create the environment if it does not work, and install what is missing.

        Raises:
            SetUpError: a package cannot be installed, and none of another version is there.
        """
        if not self._is_usable():
            self._create()
        report(0.1)
        if not self._installed(report):
            return self._judged()
        self._stamp().write()
        return ""

    def _stamp(self) -> Stamp:
        return Stamp(self.folder / ".ready", [file.read_text("utf-8") for file in self.files])

    def _is_usable(self) -> bool:
        """Whether it is of a Python that is new enough and is still there."""
        try:
            text = (self.folder / "pyvenv.cfg").read_text("utf-8")
        except OSError:
            return False
        version = re.search(r"^version = (\d+)\.(\d+)", text, re.MULTILINE)
        home = re.search(r"^home = (.+)", text, re.MULTILINE)
        if not (version and home and self.python.exists()):
            return False
        return (int(version[1]), int(version[2])) >= OLDEST and Path(home[1]).is_dir()

    def _create(self) -> None:
        if self.folder.is_symlink():
            self.folder.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        # Not of another environment, which may be removed.
        base = getattr(sys, "_base_executable", sys.executable)
        if not self.log.run([base, "-m", "venv", str(self.folder)]):
            raise SetUpError(
                f"{self.folder.name} cannot be created: {self.log.reason()}"
                f" (Debian: apt-get install python3.13-venv). Full output: {_short(self.log.file)}"
            )

    def _installed(self, report: Report) -> bool:
        expected = max(1, sum(file.read_text("utf-8").count("==") for file in self.files))
        collected = 0

        def on_line(line: str) -> None:
            nonlocal collected
            collected += line.startswith(("Collecting ", "Requirement already satisfied"))
            if line.startswith("Installing collected packages"):
                report(0.8)
            else:
                report(0.1 + 0.6 * min(1.0, collected / expected))

        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        command = [*pip, "--no-input", "-r", str(self.files[0])]
        return self.log.run(command, on_line, _pip_environ(os.environ))

    def _judged(self) -> str:
        """What to say of packages that could not be installed.

        Raises:
            SetUpError: one of them is missing altogether.
        """
        why = NO_NETWORK if self.log.is_offline() else self.log.reason()
        missing, other = self._differences()
        if missing:
            raise SetUpError(
                f"{self.title} cannot be installed: {why}. Missing: {_some(missing)}."
                f" pip's output: {_short(self.log.file)}"
            )
        return (
            f"{self.title} cannot be updated: {why}. Going on with what is installed,"
            f" in place of {_some(other)}. pip's output: {_short(self.log.file)}"
        )

    def _differences(self) -> tuple[list[str], list[str]]:
        """The pinned packages that are missing, and those of another version."""
        packages = self.folder / "Lib" / "site-packages"
        if not IS_WINDOWS:
            packages = next(self.folder.glob("lib/python3*/site-packages"), packages)
        installed = {
            _canonical(each.name): each.version for each in distributions(path=[str(packages)])
        }
        wanted = _pins(self.files)
        missing = [f"{name} {version}" for name, version in wanted.items() if name not in installed]
        other = [
            f"{name} {version}"
            for name, version in wanted.items()
            if name in installed and installed[name] != version
        ]
        return missing, other


def _pins(files: Sequence[Path]) -> Mapping[str, str]:
    """Version by name of what the files pin for this platform."""
    found: dict[str, str] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            requirement, _, marker = line.partition(";")
            name, pinned, version = requirement.partition("==")
            if pinned and not (IS_WINDOWS and "win32" in marker):
                found[_canonical(name.partition("[")[0])] = version.strip()
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _some(names: Sequence[str]) -> str:
    """The first of some names, and how many others there are."""
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown


def _short(file: Path) -> Path:
    return file.relative_to(ROOT) if file.is_relative_to(ROOT) else file


def _pip_environ(environ: Mapping[str, str]) -> Mapping[str, str]:
    """pip must not install into another environment or for this user only."""
    unwanted = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONHOME", "PYTHONPATH")
    return {name: text for name, text in environ.items() if name not in unwanted}
