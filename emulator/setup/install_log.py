"""InstallLog: a file for the output of the tools that install something."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETUP_LOG = ROOT / ".cache" / "setup.log"

OFFLINE = (
    "NewConnectionError",
    "Failed to establish a new connection",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "getaddrinfo",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENETUNREACH",
    "ETIMEDOUT",
    "ConnectTimeoutError",
    "Tunnel connection failed",
)
"""What pip, npm and Python write when there is no network."""

KEPT_LINES = 400


class InstallLog:
    """Runs programs with their output in a file.

    Args:
        file: is appended to, and created if missing.
    """

    def __init__(self, file: Path = SETUP_LOG) -> None:
        self.file = file
        self._last: list[str] = []

    def run(
        self,
        command: Sequence[str],
        on_line: Callable[[str], None] = lambda _: None,
        environ: Mapping[str, str] | None = None,
        folder: Path = ROOT,
    ) -> bool:
        """Run a program to its end.

        Args:
            command: program and arguments.
            on_line: called with each line of its output.
            environ: its environment; None: this process's.
            folder: its working folder.

        Returns:
            Whether it succeeded.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._last = []
        with self.file.open("a", encoding="utf-8") as log:
            log.write(f"$ {subprocess.list2cmdline(command)}\n")
            log.flush()
            try:
                program = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=environ,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                self._last = [str(error)]
                log.write(f"{error}\n")
                return False
            with program:
                for line in program.stdout or ():
                    log.write(line)
                    log.flush()
                    self._last = [*self._last[1 - KEPT_LINES :], line.rstrip()]
                    on_line(line)
            return program.returncode == 0

    def is_offline(self) -> bool:
        """Whether the last program failed because it could not reach its registry."""
        return any(sign in line for line in self._last for sign in OFFLINE)

    def reason(self) -> str:
        """What the last program said of its failure, in a line; empty if it said nothing."""
        errors = [line for line in self._last if line.lower().startswith(("error", "npm err"))]
        found = next(iter(errors or self._last[-1:]), "")
        return found.removeprefix("ERROR: ").removeprefix("npm error ")[:200]
