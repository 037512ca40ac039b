"""A shell that blocks are pasted into, with programs that write down how each call ended."""

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.runbooks.page import Block
from tests.support.func.func import write_func
from tests.support.project import ROOT

REAL = ("az", "bot", "curl", "openssl")
"""Programs that are run as they are, and counted."""

FUNC = "func"
"""Core Tools, in whose place workbench/tests/support/func/program.py sends the same requests.

They are counted, too; what they ask the Azure CLI is not."""

STAND_INS = {
    "make": "builds no package: the test of make package does",
    "sleep": "does not wait",
}
"""Programs of which only the name is called, and what is missed."""

WRAPPER = r"""#!{bash}
errors="$RECORD/errors.$$"
"{program}" "$@" 2>"$errors"
status=$?
cat "$errors" >&2
printf '%s\0' "$PASTED" "$status" "$(< "$errors")" {name} "$@" $'\x1e' >> "$RECORD/calls"
rm "$errors"
exit $status
"""

STAND_IN = r"""#!{bash}
printf '%s\0' "$PASTED" 0 "" {name} "$@" $'\x1e' >> "$RECORD/calls"
"""

START = r"""
set -uE
trap 'printf "%s\0" "$PASTED" "$?" "$BASH_COMMAND" $'"'\\x1e'"' >> "$RECORD/failures"' ERR
"""
"""Stops at a variable that nobody assigned, and writes down each command that fails."""

YES = "y\n" * 9
"""More answers than any command has questions."""

MARK = "\x1e"
MAX_SECONDS = 800


@dataclass(frozen=True)
class Call:
    """One call of a program.

    Attributes:
        place: the block that it stands in, as `deploy-by-hand.md:32`.
        status: its exit status.
        errors: its standard error.
        command: the program's name and its arguments.
    """

    place: str
    status: int
    errors: str
    command: tuple[str, ...]

    @property
    def program(self) -> str:
        """The program's name."""
        return self.command[0]


@dataclass(frozen=True)
class Paste:
    """The effects of blocks in the shell.

    Attributes:
        calls: each call of a program, in order.
        failures: each command of a block that failed: where, and the shell's words.
        output: the standard output by the place of the block.
        errors: the shell's standard error.
        status: the exit status of the shell.
    """

    calls: tuple[Call, ...]
    failures: tuple[str, ...]
    output: dict[str, str]
    errors: str
    status: int


class Shell:
    """Bash in a folder, with the programs of REAL, FUNC, STAND_INS and what the system has.

    Args:
        folder: an empty folder to work in.
        az: the path of the Azure CLI.
        environ: what the shell exports, such as the proxy.
    """

    def __init__(self, folder: Path, az: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._bash = str(shutil.which("bash"))
        programs = folder / ".programs"
        programs.mkdir()
        func = folder / ".func"
        write_func(func)
        bot = Path(sys.executable).with_name("bot")
        paths = {"az": str(az), "bot": str(bot), FUNC: str(func)}
        for name in (*REAL, FUNC):
            program = paths.get(name) or str(shutil.which(name))
            self._write(programs / name, WRAPPER.replace("{program}", program), name)
        for name in STAND_INS:
            self._write(programs / name, STAND_IN, name)
        self._environ = {
            "PATH": f"{programs}:{os.defpath}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "AZURE_CONFIG_DIR": str(folder / ".azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            **environ,
        }

    def _write(self, file: Path, text: str, name: str) -> None:
        file.write_text(text.replace("{bash}", self._bash).replace("{name}", name))
        file.chmod(0o755)

    def paste(self, blocks: Iterable[tuple[str, str]], answers: str = "") -> Paste:
        """Run blocks in order in one new shell.

        Args:
            blocks: pairs of a place and the lines of a block.
            answers: what somebody types at the terminal.

        Raises:
            subprocess.TimeoutExpired: the shell is still busy after MAX_SECONDS.
        """
        record = self._folder / f".record-{len(list(self._folder.glob('.record-*')))}"
        record.mkdir()
        lines = [START]
        for place, text in blocks:
            lines.append(f"PASTED='{place}'; printf '%s' $'{MARK}{place}\\n'\n{text}")
        typist, terminal = pty.openpty()
        try:
            os.write(typist, answers.encode())
            status, output, errors = self._run("\n".join(lines), terminal, record)
        finally:
            os.close(typist)
            os.close(terminal)
        return Paste(
            tuple(_calls(record / "calls")),
            tuple(f"{place}: {command}" for place, _, command in _records(record / "failures")),
            _by_place(output),
            errors,
            status,
        )

    def _run(self, script: str, terminal: int, record: Path) -> tuple[int, str, str]:
        with subprocess.Popen(
            [self._bash, "--norc", "-c", f"export PASTED=start\n{script}"],
            cwd=self._folder,
            env={**self._environ, "RECORD": str(record)},
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that a shell that hangs is ended with what it started
        ) as process:
            try:
                output, errors = process.communicate(timeout=MAX_SECONDS)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return process.returncode, output, errors


def text_of(block: Block, values: Mapping[str, str]) -> str:
    """A block as a reader pastes it who has replaced the example's lines.

    Args:
        values: by a line of the page without its comment, the reader's line.
    """
    lines = block.text.splitlines()
    return "".join(f"{values.get(line.partition(' #')[0].strip(), line)}\n" for line in lines)


def _records(file: Path) -> list[list[str]]:
    if not file.exists():
        return []
    return [record.split("\0")[:-1] for record in file.read_text("utf-8").split("\x1e\0") if record]


def _calls(file: Path) -> list[Call]:
    return [
        Call(place, int(status), errors, tuple(command))
        for place, status, errors, *command in _records(file)
    ]


def _by_place(output: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in output.split(MARK)[1:]:
        place, _, text = part.partition("\n")
        found[place] = found.get(place, "") + text
    return found
