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

    Attributes:
        arrived_at, waits_for: as in the arguments.
        expired: whether the block took too long.

    Raises:
        StartTimedOut: the block took too long, and was cancelled.
    """

    def __init__(self, arrived_at: float | None, waits_for: str) -> None:
        self.arrived_at = arrived_at
        self.waits_for = waits_for
        self.expired = False
        self._timer: asyncio.Handle | None = None

    def lift(self) -> None:
        """End the limit: the bot's code, which follows in the block, may take longer."""
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if self.arrived_at is not None and task is not None:
            self._task, self._cancelling = task, task.cancelling()
            # asyncio.timeout would set a timer here, which costs a turn 2 %; most wait for nothing.
            self._timer = asyncio.get_running_loop().call_soon(self._set_timer)
        return self

    def _set_timer(self) -> None:
        end = (self.arrived_at or 0.0) + START_SECONDS
        self._timer = asyncio.get_running_loop().call_at(end, self._expire)

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        self.lift()
        # As asyncio.timeout does: another cancellation of the task goes first.
        is_cause = self.expired and self._task.uncancel() <= self._cancelling
        if is_cause and isinstance(error, asyncio.CancelledError):
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
