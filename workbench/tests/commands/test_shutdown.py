"""How a command stops: its children must be stopped too."""

import signal
import subprocess
import sys

import pytest

from tests.support.program import Program, is_running
from tests.support.project import ROOT
from tests.support.timing.condition import until

COMMAND = """
import asyncio
import signal
from bot_workbench.commands.shutdown import run_until_asked_to_stop

async def work():
    print("works", flush=True)
    await asyncio.Event().wait()

async def main():
    try:
        await run_until_asked_to_stop(work())
    finally:
        print("stops", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, input)
        print("has stopped", flush=True)

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test` has it ignored
asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_interrupt_the_cleanup(number: signal.Signals) -> None:
    """`timeout make run` sends two: one to make's whole group, and one that make passes on."""
    with Program(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.line() == "works\n"
        process.send_signal(number)
        assert process.line() == "stops\n"
        process.send_signal(number)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.line() == "has stopped\n"
    assert process.returncode == 0


CHILD = """
import asyncio, sys
from bot_workbench.emulator.child import Child
from bot_workbench.commands.shutdown import run_until_asked_to_stop

async def work():
    child = Child(["sleep", "300"], {"PATH": "/bin:/usr/bin"}, "/")
    await child.start()
    print(child.pid, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("stops", flush=True)
        await asyncio.Event().wait()

asyncio.run(run_until_asked_to_stop(work()))
"""


def test_a_second_ctrl_c_kills() -> None:
    """It ends the process at once, whatever the cleanup waits for, and every child with it."""
    with Program(
        [sys.executable, "-c", CHILD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        child = int(process.line())
        process.send_signal(signal.SIGINT)
        assert process.line() == "stops\n"
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == 130
    until(lambda: not is_running(child))
