"""The script that lets workers and hosts die runs, and what takes it a minute meets its demands.

`python -m tests.support.load.deaths` runs all scenarios, in some 20 minutes.
"""

import subprocess
import sys

import pytest

from tests.support.project import ROOT

pytestmark = [pytest.mark.timed, pytest.mark.timeout(900)]

SCRIPT = (sys.executable, "-m", "tests.support.load.deaths")


def test_long_turns_begin_again() -> None:
    """After SIGTERM or a kill, turns of 25 seconds begin again within 45 seconds, by themselves."""
    ran = subprocess.run(
        [*SCRIPT, "sigterm", "sigkill"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stderr
