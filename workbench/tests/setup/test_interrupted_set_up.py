"""Ctrl-C, SIGTERM and a closed terminal during the set-up: nothing that it has started lives on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import Program, is_running
from tests.support.project import ROOT
from tests.support.timing.condition import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

COMMAND = """
import signal
import sys
from pathlib import Path
from bot_workbench.setup import set_up
from bot_workbench.setup.errors import SetUpError

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test` has it ignored
# On a busy machine, 2 seconds may be too few for those that do end.
set_up.STOP_SECONDS = 0.1 if "stubborn" in sys.argv else 50

installer = '''
import os, signal, subprocess, sys

def stop(number, _):
    text = "removes its files" if number == signal.SIGINT else "lives on"
    os.write(1, text.encode() + bytes([10]))
    os._exit(1)

is_stubborn = "stubborn" in sys.argv
signal.signal(signal.SIGALRM, stop)
signal.alarm(60)
signal.signal(signal.SIGINT, signal.SIG_IGN if is_stubborn else stop)
helper = subprocess.Popen(["sleep", "60"])
print(os.getpid(), helper.pid, flush=True)
signal.pause()
'''

def tell(line):
    print(line, end="", flush=True)

class Step:
    weight = 1
    is_needed = True
    needs_node = False

    def __init__(self, title):
        self.title = title

    def is_done(self):
        return False

    def run(self, report, log):
        log.run([sys.executable, "-c", installer, *sys.argv[2:]], tell)
        log.run([sys.executable, "-c", "print('goes on')"])
        raise SetUpError("It is not installed.")

try:
    set_up.set_up([Step("One"), Step("Other")], logs=Path(sys.argv[1]))
except KeyboardInterrupt:
    sys.exit(130)
"""
"""Installs two things at the same time, each by a program that starts another one."""


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGINT, []),
        (signal.SIGINT, ["stubborn"]),
        (signal.SIGTERM, []),
        (signal.SIGHUP, []),
    ],
    ids=["Ctrl-C", "Ctrl-C, ignored", "SIGTERM", "closed terminal"],
)
def test_what_it_has_started_ends(number: signal.Signals, words: list[str], tmp_path: Path) -> None:
    """Installers may remove their files first, and are killed if they take too long."""
    with Program(
        [sys.executable, "-c", COMMAND, str(tmp_path), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        started = [int(pid) for _ in range(2) for pid in process.line().split()]
        if number == signal.SIGINT:  # a terminal sends it to all
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    assert process.returncode == 128 + number
    # What is killed last may still be ending; by itself it would end after a minute.
    until(lambda: not any(map(is_running, started)), 20)
    for name in ("one", "other"):
        output = (tmp_path / f"{name}.log").read_text("utf-8")
        assert output.count("removes its files\n") == (not words)
        assert not {"goes on", "lives on"} & {*output.splitlines()}
