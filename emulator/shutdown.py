"""The end of a command: Ctrl-C, or a request to stop."""

import asyncio
import signal


async def until_asked_to_stop() -> None:
    """Wait for SIGINT or SIGTERM; a second one ends the process as usual."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
    for number in signals:
        loop.remove_signal_handler(number)
