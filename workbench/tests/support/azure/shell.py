"""AdminShell: runs `bot` as people do, in a shell that reaches the local Azure."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.emulator.local_azure import LocalAzure

ROOT = Path(__file__).parents[4]
KEPT = ("PATH", "HOME", "TMPDIR")
TIMEOUT_SECONDS = 180


@dataclass(frozen=True)
class Finished:
    """A command that has ended.

    Attributes:
        command: what was typed.
        status: the exit status.
        output: what it printed on both streams, in order.
    """

    command: str
    status: int
    output: str


class AdminShell:
    """A shell with the local Azure's environment, and nothing of the test's own settings.

    Args:
        azure: the local Azure.
        transcript: file to which each command and its output are appended.

    Attributes:
        transcript: as given.
    """

    def __init__(self, azure: LocalAzure, transcript: Path) -> None:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._environ = kept | azure.environ | {"COLUMNS": "100"}
        self.transcript = transcript
        transcript.write_text("", "utf-8")

    def run(self, *words: str) -> Finished:
        """Run `bot` with these words, and wait for its end."""
        ended = subprocess.run(
            [sys.executable, "-m", "bot_workbench", *words],
            env=self._environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        finished = Finished(" ".join(("bot", *words)), ended.returncode, ended.stdout)
        self.note(f"$ {finished.command}\n{finished.output}(exit {finished.status})\n")
        return finished

    def note(self, text: str) -> None:
        """Append a text to the transcript."""
        with self.transcript.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def done(self, *words: str) -> Finished:
        """Run a command that has to succeed.

        Raises:
            AssertionError: its exit status is not 0.
        """
        finished = self.run(*words)
        assert finished.status == 0, f"{finished.command}: {finished.status}\n{finished.output}"
        return finished
