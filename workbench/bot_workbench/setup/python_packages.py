"""PythonPackages: a virtual environment with the packages of requirements files."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from bot_workbench.project import APP, WORKBENCH
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.install_log import UNREACHABLE, InstallLog
from bot_workbench.setup.requirements import (
    CONSTRAINTS,
    PROJECT,
    REQUIREMENTS,
    Line,
    RequirementsError,
    canonical,
    read,
)
from bot_workbench.setup.step import Report

OLDEST = (3, 13)
IS_WINDOWS = sys.platform == "win32"
MAX_NAMES = 4

_PIP_INSTALL = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")

_VENV_OPTIONS = r"(?:--[\w-]+(?:=\"[^\"]*\")? )*"
"""The options that `venv` writes before the folder, such as `--clear --prompt="a bot"`."""

CONFLICT = "conflicting dependencies"
"""The message of pip if no set of versions suits all requirements."""


def python_of(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")


@dataclass(frozen=True)
class PythonPackages:
    """A set-up step: a virtual environment, updated in place when its requirements change.

    Several steps may share it, each with files of its own.

    Attributes:
        title: as people are shown it.
        folder: of the virtual environment.
        files: requirements files.
        bots: the folders of the bots whose own files are installed where requirements.txt
            includes those of `bot_logic`.
        weight, is_needed, needs_node: see SetUpStep.
    """

    title: str
    folder: Path
    files: Sequence[Path]
    bots: Sequence[Path]
    weight: float = 40
    is_needed: bool = True
    needs_node: bool = False

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return python_of(self.folder)

    def is_done(self) -> bool:
        """Whether pip has installed these very requirements, alone or with others.

        Raises:
            RequirementsError: a file is missing, or is not text.
        """
        return (
            self._stamp.exists()
            and self._installed().issuperset(map(_stamped, self._lines()))
            and self._is_usable()
        )

    def run(self, report: Report, log: InstallLog) -> str:
        """Create the environment if it does not work, and install what is missing.

        Raises:
            RequirementsError: the bot's requirements do not fit the base's.
            SetUpError: a package is missing and cannot be installed, or they conflict.
        """
        lines = self._lines()
        if not self._is_usable():
            self._create(log)
        self._check_versions()
        report(0.1)
        installed = self._installed()
        # What an interrupted pip leaves is not what was there before.
        self._stamp.unlink(missing_ok=True)
        projects = [line.project for line in lines if _stamped(line) not in installed]
        if not (
            self._pip_install([line for line in lines if not line.project], report, log)
            and self._install_projects(list(filter(None, projects)), log)
        ):
            return self._explain(lines, log)
        self._stamp.write_text("\n".join(map(_stamped, lines)), "utf-8")
        return ""

    @property
    def _stamp(self) -> Path:
        """Written last, with what is installed."""
        return self.folder / ".ready"

    def _installed(self) -> set[str]:
        """The installed packages, as `_stamped` writes them; empty if pip was interrupted."""
        try:
            return set(self._stamp.read_text("utf-8").splitlines())
        except OSError:
            return set()

    def _lines(self) -> Sequence[Line]:
        return read(self.files, self.bots)

    def _check_versions(self) -> None:
        """Let the environment's Python, which has pip's comparison of versions, find what clashes.

        Raises:
            RequirementsError: something does.
        """
        command = [
            str(self.python),
            "-m",
            "bot_workbench.setup.requirements",
            *map(str, self.files),
        ]
        done = subprocess.run(
            [*command, *map(str, self.bots)],
            cwd=APP,
            env={**os.environ, "PYTHONPATH": str(WORKBENCH)},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RequirementsError(done.stderr.strip())

    def _is_usable(self) -> bool:
        """Whether it is of a Python that is new enough and is still there."""
        try:
            text = (self.folder / "pyvenv.cfg").read_text("utf-8")
        except OSError:
            return False
        version = re.search(r"^version = (\d+)\.(\d+)", text, re.MULTILINE)
        home = re.search(r"^home = (.+)", text, re.MULTILINE)
        made = re.search(rf"^command = .* -m venv {_VENV_OPTIONS}(.+)", text, re.MULTILINE)
        pip = self.python.with_name("pip.exe" if IS_WINDOWS else "pip")  # what venv writes last
        if not (version and home and self.python.exists() and pip.exists()):
            return False
        if made and Path(made[1]).resolve() != self.folder.resolve():
            return False  # its scripts start the Python of the place where it was made
        return (int(version[1]), int(version[2])) >= OLDEST and Path(home[1]).is_dir()

    def _create(self, log: InstallLog) -> None:
        if WORKBENCH.resolve().is_relative_to(self.folder.resolve()):
            raise SetUpError(
                f"{self.folder} does not work: it was made in another folder, or with a Python that"
                " is too old or gone. Run `python run.py clean`, then the command again."
            )
        if self.folder.is_symlink():
            self.folder.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        # Not of another environment, which may be removed.
        base = getattr(sys, "_base_executable", sys.executable)
        if not log.run([base, "-m", "venv", str(self.folder)]):
            raise SetUpError(
                f"{self.folder.name} cannot be created: {log.reason()}"
                f" (Debian: apt-get install python3.13-venv). Full output: {log}"
            )

    def _pip_install(self, lines: Sequence[Line], report: Report, log: InstallLog) -> bool:
        collected = 0

        def on_line(line: str) -> None:
            nonlocal collected
            collected += line.startswith(("Collecting ", "Requirement already satisfied"))
            if line.startswith("Installing collected packages"):
                report(0.8)
            else:
                report(0.1 + 0.6 * min(1.0, collected / max(1, len(lines))))

        command = [str(self.python), *_PIP_INSTALL]
        for option, is_constraint in (("-r", False), ("-c", True)):
            texts = [line.text for line in lines if line.is_constraint is is_constraint]
            file = self.folder / (CONSTRAINTS if is_constraint else REQUIREMENTS)
            file.write_text("\n".join(texts), "utf-8")
            command += [option, str(file)]
        return log.run(command, on_line, _pip_environ(os.environ))

    def _install_projects(self, folders: Sequence[str], log: InstallLog) -> bool:
        """Let pip install projects editable, with the build backend that the environment has.

        Otherwise it would fetch the backend each time, and need a network though all is there.
        """
        if not folders:
            return True
        options = ["--no-build-isolation", "--no-deps", "--no-index"]
        options += [part for folder in folders for part in ("-e", folder)]
        command = [str(self.python), *_PIP_INSTALL, *options]
        return log.run(command, environ=_pip_environ(os.environ))

    def _explain(self, lines: Sequence[Line], log: InstallLog) -> str:
        """The message about packages that could not be installed.

        Raises:
            SetUpError: one of them is missing altogether, or they do not fit each other.
        """
        why = log.reason()
        missing, other = self._differences(lines)
        named = f"Missing: {_some(missing)}. pip's output: {log}"
        if missing and log.is_offline():
            raise SetUpError(UNREACHABLE, named)
        if missing or not other or CONFLICT in why:
            said = named if missing else f"pip's output: {log}"
            raise SetUpError(f"{self.title} cannot be installed: {why}. {said}")
        return (
            f"{self.title} cannot be updated: {why}. Going on with what is installed,"
            f" in place of {_some(other)}. pip's output: {log}"
        )

    def _differences(self, lines: Sequence[Line]) -> tuple[list[str], list[str]]:
        """The required packages that are missing, and those of another version."""
        packages = self.folder / "Lib" / "site-packages"
        if not IS_WINDOWS:
            packages = next(self.folder.glob("lib/python3*/site-packages"), packages)
        installed = {
            canonical(each.name): each.version for each in distributions(path=[str(packages)])
        }
        # Only pip knows whether what has a marker is for this machine.
        wanted = [line for line in lines if line.name and ";" not in line.text]
        missing = [
            f"{line.name} {line.version}".rstrip()
            for line in wanted
            if line.name not in installed and not line.is_constraint
        ]
        other = [
            f"{line.name} {line.version}"
            for line in wanted
            if line.version and installed.get(line.name, line.version) != line.version
        ]
        return missing, other


def _stamped(line: Line) -> str:
    if line.project:  # its files are imported from where they are; its metadata are copied
        text = (APP / line.project / PROJECT).read_bytes()
        return f"{line.text} {hashlib.sha256(text).hexdigest()}"
    return f"-c {line.text}" if line.is_constraint else line.text


def _some(names: Sequence[str]) -> str:
    """The first of some names, and how many others there are."""
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown


def _pip_environ(environ: Mapping[str, str]) -> Mapping[str, str]:
    """pip must not install into another environment or for this user only."""
    unwanted = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONHOME", "PYTHONPATH")
    return {name: text for name, text in environ.items() if name not in unwanted}
