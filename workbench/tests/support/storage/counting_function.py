"""CountingFunction: a queue-triggered function that records its calls."""

import asyncio
import base64
from collections.abc import Mapping

from bot_workbench.emulator.functions.errors import InvocationError
from bot_workbench.emulator.functions.workers.protocol import TypedData


def stored(text: str) -> str:
    """A text as queues store it."""
    return base64.b64encode(text.encode()).decode()


class CountingFunction:
    """A function that records its calls.

    Attributes:
        fails: how many of the next calls raise.
        gate: calls wait until it is set.
        contents: the messages of all calls, in order: text or, for a binary trigger, bytes.
        metadata: their metadata.
        running: calls in progress.
        peak: maximum number of calls in progress.
    """

    def __init__(self) -> None:
        self.fails = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.contents: list[str | bytes] = []
        self.metadata: list[Mapping[str, TypedData]] = []
        self.running = 0
        self.peak = 0

    async def __call__(self, data: TypedData, metadata: Mapping[str, TypedData]) -> None:
        """Run."""
        [content] = vars(data).values()
        self.contents.append(content)
        self.metadata.append(metadata)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.fails:
            self.fails -= 1
            raise InvocationError("Traceback: refused")
