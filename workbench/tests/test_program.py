"""Program: how a test and a command that it started end."""

import contextlib
import subprocess
import sys

import pytest

from tests.support.program import Program, is_running
from tests.support.timing.condition import until

pytestmark = pytest.mark.extended


def test_a_failing_test_kills_its_program() -> None:
    """A test that fails while its program runs does not wait for it."""
    program = Program([sys.executable, "-c", "import time; time.sleep(300)"], text=True)
    with contextlib.suppress(LookupError), program:
        assert is_running(program.pid)
        raise LookupError
    assert program.returncode != 0
    assert not is_running(program.pid)


def test_a_program_that_has_ended() -> None:
    """A test that waits for another line fails."""
    with (
        Program([sys.executable, "-c", ""], stdout=subprocess.PIPE, text=True) as program,
        pytest.raises(AssertionError, match="has ended"),
    ):
        program.line()


@pytest.mark.skipif(sys.platform != "linux", reason="the reaper of make test is for Linux")
def test_a_program_that_nobody_has_waited_for() -> None:
    """It does not run any more, although the system still has its entry."""
    with Program([sys.executable, "-c", ""], text=True) as program:
        until(lambda: not is_running(program.pid))
