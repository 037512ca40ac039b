"""InMemoryAccount: the account in memory in a process of its own."""

import asyncio
import base64
import os
import sys
from pathlib import Path

from benchmarks.contestant import ROOT
from benchmarks.state.storage.call import BLOB, QUEUE
from bot_workbench.emulator.child import Child
from bot_workbench.emulator.loopback import LOOPBACK, free_port

START_TIMEOUT_SECONDS = 15.0
KEY = base64.b64encode(bytes(64)).decode()
"""No signature is verified."""


class InMemoryAccount:
    """Starts and stops the process.

    Attributes:
        ports: its ports by service.
    """

    def __init__(self) -> None:
        self.ports = {BLOB: free_port(), QUEUE: free_port()}
        command = [sys.executable, "-m", "benchmarks.state.storage.in_memory"]
        for service, port in self.ports.items():
            command += [f"--{service}-port", f"{port}"]
        self._child = Child(command, dict(os.environ), Path(ROOT))

    async def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            TimeoutError: it does not.
        """
        await self._child.start()
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            for port in self.ports.values():
                while not await _listens(port):  # noqa: ASYNC110  # another process gives no sign
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End it."""
        await self._child.stop()

    @property
    def connection_string(self) -> str:
        """The value for AzureWebJobsStorage."""
        endpoints = (
            f"{service.capitalize()}Endpoint=http://{LOOPBACK}:{port}/memory"
            for service, port in self.ports.items()
        )
        return f"AccountName=memory;AccountKey={KEY};{';'.join(endpoints)}"


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
