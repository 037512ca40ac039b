"""The host of the peers outside Functions: an aiohttp server on loopback, on uvloop."""

import asyncio
import os
import signal

import uvloop
from aiohttp import web


def serve(app: web.Application) -> None:
    """Serve at the port in PORT until SIGTERM; print `ready` when it listens."""
    uvloop.run(_serve(app))


async def _serve(app: web.Application) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    print("ready", flush=True)  # the parent process waits for this line
    await stop.wait()
    await runner.cleanup()
