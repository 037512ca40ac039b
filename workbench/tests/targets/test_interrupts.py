"""Ctrl-C and SIGTERM, also while a command starts, or runs several programs such as `make test`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.project import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

COMMAND = """
import sys
from bot_workbench.targets.command_line import main
from bot_workbench.targets.target import Target, needs

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
commands = [[sys.executable, "-c", code] for code in (first, "print('next')")]
target = Target("both", "", [], needs(), lambda _: commands)
sys.exit(main(["both"], {"both": target}))
"""
"""Runs a program that takes its time to stop, and another one after it.

Its time is longer than the quarter of a second after which subprocess.run would kill it.
"""

IMPORT = """
import importlib.abc, runpy, sys

class Interrupted(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "bot_workbench.emulator.cloud":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
sys.argv[1:] = ["run.local_run"]
runpy.run_module("bot_workbench.commands", run_name="__main__")
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


def test_ctrl_c_during_the_imports(tmp_path: Path) -> None:
    """They take a second; it ends without a traceback, as it does later."""
    package = tmp_path / "emulator"
    package.mkdir()
    (package / "__init__.py").write_text("raise KeyboardInterrupt", "utf-8")
    script = tmp_path / "run.py"
    script.write_bytes((ROOT / "run.py").read_bytes())
    for words in (["-c", IMPORT], [str(script)]):
        ended = subprocess.run(
            [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
