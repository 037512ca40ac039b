"""NpmPackages: programs from npm, in a folder of .cache."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emulator.setup.errors import SetUpError
from emulator.setup.install_log import InstallLog
from emulator.setup.npm.registry import RETRIES
from emulator.setup.python_packages import NO_NETWORK
from emulator.setup.stamp import Stamp
from emulator.setup.step import Report

NPM_MISSING = "npm is missing: install Node.js (https://nodejs.org)"


def npm() -> str:
    """The path of npm; on Windows it is npm.cmd.

    Raises:
        SetUpError: it is missing.
    """
    found = shutil.which("npm")
    if found is None:
        raise SetUpError(NPM_MISSING)
    return found


@dataclass(frozen=True)
class NpmPackages:
    """A set-up step: packages of pinned versions, run as tools and never shipped.

    Attributes:
        title: as people are shown it.
        folder: takes node_modules.
        packages: names with versions, as npm takes them.
        without: what does not work without them, as a sentence.
        weight: see SetUpStep.
        says_without_npm: whether a missing npm is worth a line; the command may say it itself.
    """

    title: str
    folder: Path
    packages: Sequence[str]
    without: str
    weight: float = 10
    is_needed: bool = False
    says_without_npm: bool = True
    log: InstallLog = field(default_factory=InstallLog)

    def is_done(self) -> bool:
        """Whether these very versions are installed, or npm is missing and the command says so."""
        silent = not self.says_without_npm and shutil.which("npm") is None
        return silent or self._stamp().fits()

    def run(self, report: Report) -> str:
        """Install them.

        Raises:
            SetUpError: npm is missing, or cannot reach its registry.
        """
        try:
            program = npm()
        except SetUpError as error:
            raise SetUpError(f"{error}. {self.without}") from error
        self.folder.mkdir(parents=True, exist_ok=True)
        report(0.1)
        quiet = ("--no-audit", "--no-fund", "--no-progress")
        options = [*quiet, *RETRIES, "--prefix", str(self.folder)]
        if not self.log.run([program, "install", *options, *self.packages]):
            raise SetUpError(failure(self.title, self.log, self.without))
        self.finish(program)
        self._stamp().write()
        return ""

    def finish(self, program: str) -> None:
        """What is to do once npm has installed the packages.

        Args:
            program: npm's path.
        """

    def wanted(self) -> Sequence[str]:
        """What the stamp remembers."""
        return self.packages

    def _stamp(self) -> Stamp:
        return Stamp(self.folder / ".ready", self.wanted())


def failure(title: str, log: InstallLog, without: str) -> str:
    """The line about something that npm could not install."""
    why = NO_NETWORK if log.is_offline() else re.sub(r"^code ", "", log.reason())
    return f"{title} cannot be installed: {why}. {without}"
