"""InstallLog: runs the programs of a step, such as pip and npm, with their output in a file."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot_workbench.emulator.child import kill_tree, own_group
from bot_workbench.project import APP

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
"""The messages of pip, npm and Python when there is no network."""

NO_NETWORK = "there is no network, or it needs a proxy (HTTPS_PROXY)"
UNREACHABLE = f"Nothing can be installed: {NO_NETWORK}. Connect, then run the command again."
KEPT_LINES = 400

ERROR = re.compile(
    r"(?:ERROR: (?!Ignored |subprocess-exited)"
    r"|\u00d7 "  # a cross
    r"|npm (?:error|ERR!) (?!code |syscall |path |errno ))(.+)",
    re.I,
)
"""A line of pip's or npm's that says what went wrong, in words."""

VERSIONS = re.compile(r" \(from versions: [^)]*\)")
"""Every version that there is, in a line of pip's: up to hundreds."""


class InstallLog:
    """Runs one program at a time; another thread may stop it.

    Args:
        file: is appended to, and created if missing.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._last: list[str] = []
        self._lock = threading.Lock()
        self._program: subprocess.Popen[str] | None = None
        self._is_stopped = False

    def __str__(self) -> str:
        """The file, as messages name it."""
        return str(self.file.relative_to(APP) if self.file.is_relative_to(APP) else self.file)

    def run(
        self,
        command: Sequence[str],
        on_line: Callable[[str], None] = lambda _: None,
        environ: Mapping[str, str] | None = None,
        folder: Path = APP,
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
                program = self._started(command, environ, folder)
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
            with self._lock:
                self._program = None
            return program.returncode == 0

    def stop(self) -> None:
        """Ask the program to end, as Ctrl-C does, and start no other one."""
        self._end(at_once=False)

    def kill(self) -> None:
        """End the program at once, if it still runs, and start no other one."""
        self._end(at_once=True)

    def is_offline(self) -> bool:
        """Whether the last program failed because it reached nothing."""
        return any(sign in line for line in self._last for sign in OFFLINE)

    def reason(self) -> str:
        """Why the last program failed, in a few words; empty if it did not say."""
        if self.is_offline():
            return NO_NETWORK
        errors = [found[1] for found in map(ERROR.match, self._last) if found]
        return VERSIONS.sub("", next(iter(errors or self._last[-1:]), ""))[:300].rstrip(".")

    def _started(
        self, command: Sequence[str], environ: Mapping[str, str] | None, folder: Path
    ) -> "subprocess.Popen[str]":
        with self._lock:
            if self._is_stopped:
                raise InterruptedError("stopped")
            # A group of its own: it is asked to end once, not by the terminal too, and with all
            # that it has started.
            self._program = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environ,
                text=True,
                encoding="utf-8",
                errors="replace",
                **own_group(),
            )
            return self._program

    def _end(self, *, at_once: bool) -> None:
        with self._lock:
            self._is_stopped = True
            if self._program is None:
                return
            if sys.platform == "win32":
                kill_tree(self._program.pid)
            else:
                with contextlib.suppress(ProcessLookupError):
                    number = signal.SIGKILL if at_once else signal.SIGINT
                    os.killpg(self._program.pid, number)
