"""Stops a command on SIGINT (Ctrl-C) and SIGTERM."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


async def until_asked_to_stop() -> None:
    """Wait for SIGINT or SIGTERM.

    A second Ctrl-C ends the process at once. Further SIGTERMs change nothing, because `timeout` and
    make each send one, and the children must still be stopped.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
    loop.remove_signal_handler(signal.SIGINT)


async def run_until_asked_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or raises, or until SIGINT or SIGTERM, and wait for its cleanup."""
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
