"""Ctrl-C and SIGTERM, also while a command starts, or runs several programs such as `bot check`."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

COMMAND = """
import sys
from bot_workbench.commands.programs import run_programs

first = '''
import signal, sys, time

def stop(number, _):
    print("stops", flush=True)
    time.sleep(1)
    print("has stopped", flush=True)
    sys.exit(3)

signal.alarm(60)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
print("works", flush=True)
signal.pause()
'''
run_programs([[sys.executable, "-c", code] for code in (first, "print('next')")])
"""
"""Runs a program that takes its time to stop, and another one after it.

Its time is longer than the quarter of a second after which subprocess.run would kill it.
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_stops_in_its_own_time(number: signal.Signals) -> None:
    """It is not killed while it ends what it has started; the next program is not run."""
    with Program(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.line() == "works\n"
        if number == signal.SIGINT:  # Ctrl-C: a terminal sends it to all
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.stdout is not None
        assert process.stdout.readlines() == ["stops\n", "has stopped\n"]
    assert process.returncode == 3


def test_every_program_runs() -> None:
    """Also after one that fails, whose status stays."""
    code = (
        "import sys; from bot_workbench.commands.programs import run_programs;"
        "run_programs([[sys.executable, '-c', each] for each in"
        " ('exit(3)', 'exit(4)', 'print(5)')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "5\n")


@dataclass(frozen=True)
class Ended:
    """How it ended.

    Attributes:
        status: exit status.
        errors: standard error, without what Python says of its imports.
    """

    status: int
    errors: str


def interrupted(module: str, *words: str, after: str) -> Ended:
    """Run `python -m MODULE WORDS`, and interrupt it when it has imported another module."""
    command = [sys.executable, "-X", "importtime", "-m", module, *words]
    with Program(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        for line in program.stderr:
            if line.rsplit("|", 1)[-1].strip() == after:
                program.send_signal(signal.SIGINT)
                break
        left = [line for line in program.stderr if not line.startswith("import time:")]
        return Ended(program.wait(SECONDS), "".join(left))


@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("migrate status --bot contoso-bot", "bot_workbench.setup.python_packages"),
        ("migrate status --bot contoso-bot", "typer"),
        ("migrate status --bot contoso-bot", "rich.text"),
        ("migrate status --bot contoso-bot", "azure.core"),
        ("migrate status --bot contoso-bot", "bot_workbench.admin.migrate.status.report"),
        ("cloud", "aiohttp"),
        ("run", "bot_workbench.emulator.cloud"),
    ],
)
def test_ctrl_c_during_the_imports(words: str, module: str) -> None:
    """They take a second; nothing has been done, and there is no traceback."""
    ended = interrupted("bot_workbench", *words.split(), after=module)
    assert (ended.status, ended.errors.strip()) == (130, "")


def test_ctrl_c_while_run_py_starts(tmp_path: Path) -> None:
    """It ends without a traceback, too."""
    package = tmp_path / "workbench" / "bot_workbench"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise KeyboardInterrupt", "utf-8")
    script = tmp_path / "run.py"
    script.write_bytes((ROOT / "run.py").read_bytes())
    ended = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
