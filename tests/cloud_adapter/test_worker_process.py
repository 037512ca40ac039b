"""worker_process: what ends a worker process that can do nothing more, and what it says before.

Each test runs a worker in a process of its own. Its ticks are short.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot_workbench.emulator.loopback import free_port
from cloud_adapter.worker_process import EXIT_CODE
from tests.support.editor.debug_client import DebugClient
from tests.support.timing.condition import SECONDS, until
from tests.support.timing.event_loops import FACTORIES

ROOT = Path(__file__).parents[2]

WORKER = """
import asyncio, importlib, logging, sys, threading
from pathlib import Path
from cloud_adapter.invocation_log import InvocationLog
from cloud_adapter.worker_process import Watch, guard_worker
from bot_workbench.emulator.functions.workers.invocation_task import (
    in_running_invocation, mark_tasks, running
)
from tests.support.timing.event_loops import FACTORIES

loop, tick_seconds, ended_ticks, *arguments = sys.argv[1:]
folder = Path.cwd() / "bot_logic"
invocation_log = InvocationLog()


class HostLog(logging.Handler):
    def emit(self, record):
        belongs = "logged" if in_running_invocation() else "dropped"
        print(belongs, record.levelname, record.getMessage(), flush=True)


async def main():
    logging.getLogger().addHandler(HostLog())
    invocation_log.attach(["cloud_adapter"])
    mark_tasks(asyncio.get_running_loop())
    guard_worker(folder, Watch(float(tick_seconds), 10, int(ended_ticks)))
    bot = importlib.import_module("bot_logic")

    async def invoke():
        with running("1"), invocation_log.invocation():
            print("ready", flush=True)
            await bot.turn()

    await asyncio.create_task(invoke())
    await getattr(bot, "later", bot.turn)()


asyncio.run(main(), loop_factory=FACTORIES[loop])
print("ended", flush=True)
"""

Start = Callable[..., subprocess.Popen[str]]

on_each_loop = pytest.mark.parametrize("loop", FACTORIES)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a worker with this bot, on an event loop."""
    (tmp_path / "bot_logic").mkdir()
    workers = []

    def started(
        bot: str, loop: str = "asyncio", tick_seconds: float = 0.02, ended_ticks: int = 10**6
    ) -> subprocess.Popen[str]:
        (tmp_path / "bot_logic" / "__init__.py").write_text(bot)
        path = os.pathsep.join((str(ROOT), str(tmp_path)))
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, loop, str(tick_seconds), str(ended_ticks)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        workers.append(worker)
        return worker

    yield started
    for worker in workers:
        worker.kill()
        worker.communicate()


def outcome(worker: subprocess.Popen[str], text: str | None = None) -> tuple[int, list[str], str]:
    """A worker's exit code, what it has logged or printed, and its standard error."""
    printed, errors = worker.communicate(text, SECONDS)
    lines = [line for line in printed.splitlines() if line != "ready"]
    return worker.returncode, lines, errors


EXITS = """
import asyncio, sys, threading, time

async def ignore_cancellation():
    while True:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            pass

async def leave():
    sys.exit(0)

async def turn():
    ignoring = asyncio.create_task(ignore_cancellation())
    threading.Thread(target=time.sleep, args=(1000,)).start()
    try:
        await asyncio.gather(leave())
    finally:
        await ignoring
"""


@on_each_loop
def test_an_exit_in_a_task(start: Start, loop: str) -> None:
    """The host must replace the process: the exit code is not 0, whatever would delay the end."""
    code, lines, errors = outcome(start(EXITS, loop))
    assert (code, lines) == (EXIT_CODE, [])
    assert "its event loop has ended: the bot's code called sys.exit(0) in a task" in errors
    assert 'bot_logic/__init__.py", line 12, in leave' in errors


def test_an_exit_with_a_text(start: Start) -> None:
    """Only the place is shown, as the text may be a user's."""
    code, _, errors = outcome(start(EXITS.replace("exit(0)", "exit(chr(120) * 9)")))
    assert (code, "xxx" in errors) == (EXIT_CODE, False)
    assert "sys.exit(...)" in errors


def test_a_worker_that_has_done_its_work(start: Start) -> None:
    """It ends as if nobody guarded it."""
    assert outcome(start("async def turn():\n    pass\n")) == (0, ["ended"], "")


BLOCKS = """
import asyncio, threading, time

async def turn():
    threading.Event().wait()
"""


@on_each_loop
def test_a_blocked_event_loop(start: Start, loop: str) -> None:
    """The log names the bot's line in time, under the id of its invocation; later it all ends."""
    code, lines, errors = outcome(start(BLOCKS, loop, ended_ticks=20))
    assert (code, errors) == (EXIT_CODE, "")
    named, ended = lines
    place = "bot_logic/__init__.py:5 in turn: threading.Event().wait(), which has called "
    blocked = "logged ERROR The event loop has been blocked for"
    assert named.startswith(f"{blocked} 0.2 s by {place}")
    assert "in wait. Await what takes long, or run it in a thread:" in named
    assert ended.startswith(f"{blocked} 0.4 s by {place}")
    assert ended.endswith("in wait. The process ends now.")


CALLBACK = """
import asyncio, time

async def turn():
    asyncio.get_running_loop().call_soon(time.sleep, 1000)
    await asyncio.sleep(1000)
"""

OUTLIVES = """
import asyncio, time

async def block():
    await started.wait()
    time.sleep(1000)

async def turn():
    global started, blocking
    started, blocking = asyncio.Event(), asyncio.create_task(block())

async def later():
    started.set()
    await blocking
"""


@pytest.mark.parametrize("bot", [CALLBACK, OUTLIVES], ids=["a callback", "an ended invocation"])
def test_a_block_without_an_invocation(start: Start, bot: str) -> None:
    """Its lines are written to standard error: the host would drop them from the log."""
    code, lines, errors = outcome(start(bot, ended_ticks=20))
    assert (code, lines) == (EXIT_CODE, [])
    assert errors.count("The event loop has been blocked for") == 2


def test_blocks_that_end(start: Start) -> None:
    """Each is named once, and what waits for it goes on."""
    bot = """
import logging, threading, time

named = threading.Semaphore(0)

class Named(logging.Handler):
    def emit(self, record):
        named.release()

async def turn():
    logging.getLogger("cloud_adapter").addHandler(Named())
    named.acquire()
    time.sleep(0.3)  # more ticks, of the same block

async def later():
    pass
"""
    code, lines, errors = outcome(start(bot))
    assert (code, errors, lines[1:]) == (0, "", ["ended"])
    assert "bot_logic/__init__.py:12 in turn: named.acquire()" in lines[0]


def test_a_log_handler_that_blocks(start: Start) -> None:
    """The process ends although the log cannot be written, since its handler holds the lock."""
    bot = """
import logging, time

class Blocking(logging.Handler):
    def emit(self, record):
        time.sleep(1000)

async def turn():
    logging.getLogger().addHandler(Blocking())
    logging.getLogger("cloud_adapter").error("a line")
"""
    assert outcome(start(bot, ended_ticks=20)) == (EXIT_CODE, ["logged ERROR a line"], "")


BLOCKS_FOR_A_MOMENT = """
import sys

async def turn():
    sys.stdin.readline()

async def later():
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot pause a process")
def test_a_process_that_pauses(start: Start) -> None:
    """It blocks nothing meanwhile, nor does a paused machine: ticks are counted, not the time."""
    worker = start(BLOCKS_FOR_A_MOMENT, tick_seconds=0.2)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    pass_time(0.3)  # the watching thread waits for an answer now
    worker.send_signal(signal.SIGSTOP)
    pass_time(2.5)
    worker.send_signal(signal.SIGCONT)
    pass_time(0.3)
    assert outcome(worker, "\n") == (0, ["ended"], "")


def test_a_breakpoint(start: Start) -> None:
    """Who debugs a bot with pdb may take any time."""
    bot = "async def turn():\n    breakpoint()\n\nasync def later():\n    pass\n"
    worker = start(bot, ended_ticks=20)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    pass_time(1.0)
    code, lines, _ = outcome(worker, "continue\n")
    assert (code, lines[-1][-5:], [line for line in lines if "blocked" in line]) == (0, "ended", [])


@pytest.mark.extended
def test_an_editors_debugger(start: Start) -> None:
    """While one is attached, nothing is named: it may hold the bot's thread alone."""
    port = free_port()
    bot = f"""
import asyncio, debugpy, time

async def turn():
    await asyncio.to_thread(debugpy.listen, ("127.0.0.1", {port}))
    print("listens", flush=True)
    await asyncio.to_thread(debugpy.wait_for_client)
    time.sleep(1)

async def later():
    pass
"""
    worker = start(bot, ended_ticks=20)
    assert worker.stdout is not None
    assert [worker.stdout.readline() for _ in range(2)] == ["ready\n", "listens\n"]
    with DebugClient(port, {}):
        until(lambda: worker.poll() is not None, 20)
    code, lines, _ = outcome(worker)
    assert (code, lines) == (0, ["ended"])


def pass_time(seconds: float) -> None:
    """Let real time pass, of which the worker must count nothing."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end)
