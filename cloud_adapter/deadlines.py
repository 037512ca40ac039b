"""How long the channel waits for an answer, and the time limits that follow from it.

Microsoft Learn, "Manage a long-running operation" (Azure AI Bot Service): if the bot has not
answered within 10 to 15 seconds, depending on the channel, the service answers in its place, with
504. So an answer that comes later reaches nobody.
"""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Self

from cloud_adapter.errors import StartTimedOut, StorageUnavailable

CHANNEL_SECONDS = 10.0
"""How long every channel waits for an answer; some wait for 15 seconds."""

START_SECONDS = CHANNEL_SECONDS - 2
"""How long after its arrival a request waits for the bot's code, or until it is stored."""

FIRST_STATE_SECONDS = CHANNEL_SECONDS - 1
"""How long after its arrival a turn waits for its first state: lock, lease and read together."""

MIN_FIRST_STATE_SECONDS = 3.0
"""How long a turn waits for its first state at least, if it asks for it late."""


class StartLimit:
    """A context manager that limits what a request waits for before the bot's code runs.

    It cancels the block: what must not be cut off needs a task of its own.

    Args:
        arrived_at: when the request arrived, in event loop time (seconds); None: no channel waits,
            so there is no limit.
        waits_for: what the block waits for, for the log; the block may change it.

    Raises:
        StartTimedOut: the block took too long, and was cancelled.
    """

    __slots__ = ("_arming", "_limit", "arrived_at", "waits_for")

    def __init__(self, arrived_at: float | None, waits_for: str) -> None:
        self.arrived_at = arrived_at
        self.waits_for = waits_for
        self._limit = asyncio.timeout(None)
        self._arming: asyncio.Handle | None = None

    @property
    def expired(self) -> bool:
        """Whether the block took too long."""
        return self._limit.expired()

    def lift(self) -> None:
        """End the limit: the bot's code, which follows in the block, may take longer."""
        self._disarm()
        self._limit.reschedule(None)

    def _disarm(self) -> None:
        if self._arming is not None:
            self._arming.cancel()

    async def __aenter__(self) -> Self:
        await self._limit.__aenter__()
        if self.arrived_at is not None:
            # Not at once: most requests wait for nothing here, and a timer would cost them 2 %.
            loop, end = asyncio.get_running_loop(), self.arrived_at + START_SECONDS
            self._arming = loop.call_soon(self._limit.reschedule, end)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        self._disarm()
        try:
            await self._limit.__aexit__(kind, error, trace_back)
        except TimeoutError:
            raise StartTimedOut(
                f"{self.waits_for} took too long: the request has waited for {START_SECONDS:.0f} s,"
                f" and some channels wait only {CHANNEL_SECONDS:.0f} s for its answer"
            ) from None


def arrival(context: object) -> float | None:
    """When the request that waits for a turn arrived, in event loop time (seconds).

    None if no request waits, or if the bot has made the context, of the SDK's own class.

    Args:
        context: the turn's TurnContext.
    """
    return getattr(context, "arrived_at", None)


def seconds_for_first_state(arrived_at: float | None) -> float:
    """How long a turn that asks for its first state now waits for it.

    Args:
        arrived_at: when the turn's request arrived, in event loop time (seconds); None: no request
            waits for the turn, so it has as long as one that arrives now.
    """
    now = asyncio.get_running_loop().time()
    if arrived_at is None:
        return FIRST_STATE_SECONDS
    return max(arrived_at + FIRST_STATE_SECONDS - now, MIN_FIRST_STATE_SECONDS)


async def storage_in_time[Result](work: Awaitable[Result], deadline: float | None) -> Result:
    """Wait for storage until a deadline (event loop time, seconds); None: no limit.

    Raises:
        StorageUnavailable: it took longer, and was cancelled.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise StorageUnavailable(
            "the storage account is too slow: this turn's state was not there in time"
        ) from None
