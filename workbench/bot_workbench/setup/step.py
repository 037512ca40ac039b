"""SetUpStep: one thing that a command needs on this machine."""

from collections.abc import Callable
from typing import Protocol

from bot_workbench.setup.install_log import InstallLog

Report = Callable[[float], None]
"""Takes how much of a step is done, from 0 to 1."""


class SetUpStep(Protocol):
    """Installs something, once: into .venv, into .cache, or beside the workbench's own files.

    Steps run at the same time, each in a thread: what one installs, no other one of a list touches.

    Attributes:
        title: what it installs, as people are shown it.
        weight: about how many seconds it takes.
        is_needed: whether commands cannot run without it.
        needs_node: whether it runs npm.
    """

    @property
    def title(self) -> str: ...

    @property
    def weight(self) -> float: ...

    @property
    def is_needed(self) -> bool: ...

    @property
    def needs_node(self) -> bool: ...

    def is_done(self) -> bool:
        """Whether nothing is to do; quick.

        Raises:
            SetUpError: what it looks at cannot be read.
        """

    def run(self, report: Report, log: InstallLog) -> str:
        """Install it.

        Args:
            report: takes how far it is.
            log: runs its programs, and ends them if the set-up is interrupted.

        Returns:
            A line for the user about what is not as it should be; usually empty.

        Raises:
            SetUpError: it cannot be installed.
        """
