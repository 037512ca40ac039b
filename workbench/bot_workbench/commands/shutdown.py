"""Stops a command on Ctrl-C, SIGTERM, Ctrl-Break (Windows), and when its terminal is closed."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from bot_workbench.emulator.child import kill_all

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of a program that Ctrl-C has ended, as shells have it."""


async def until_asked_to_stop() -> None:
    """Wait for one of the signals.

    A second Ctrl-C kills every child and ends the process at once. Further SIGTERMs change nothing,
    because `timeout` and make each send one, and the children must still be stopped.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(number: int, _frame: object) -> None:
        if asked.is_set() and number == signal.SIGINT:
            kill_all()
            os._exit(INTERRUPTED)
        with contextlib.suppress(RuntimeError):  # the event loop has just been closed
            loop.call_soon_threadsafe(asked.set)

    # Not the event loop's signal handlers, which Windows does not have.
    for number in _numbers():
        signal.signal(number, ask)
    await asked.wait()


def _numbers() -> tuple[signal.Signals, ...]:
    if sys.platform == "win32":
        return (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as `nohup` wants it
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_until_asked_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, raises, or is asked to stop, and wait for its cleanup."""
    stop = asyncio.create_task(until_asked_to_stop())
    working = asyncio.create_task(work)
    try:
        await asyncio.wait((stop, working), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        await asyncio.wait((working,))
        if not working.cancelled():
            working.result()
    finally:
        stop.cancel()
        working.cancel()
