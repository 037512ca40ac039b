"""How a command stops: its children must be stopped too."""

import signal
import subprocess
import sys

from tests.support.program import Program
from tests.support.project import ROOT

COMMAND = """
import asyncio
from emulator.commands.shutdown import run_until_asked_to_stop

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

asyncio.run(main())
"""


def test_a_second_sigterm_does_not_interrupt_the_cleanup() -> None:
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
        process.send_signal(signal.SIGTERM)
        assert process.line() == "stops\n"
        process.send_signal(signal.SIGTERM)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.line() == "has stopped\n"
    assert process.returncode == 0
