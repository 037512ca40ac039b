"""Moves a test's clock until leases behind a StorageFront are open or renewed."""

from cloud_adapter.state.lock import OPENING_SHARE, RENEWAL_SECONDS
from cloud_adapter.state.stored_state import CONTAINER
from tests.support.storage.storage_front import StorageFront
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

OPENING_SECONDS = RENEWAL_SECONDS * OPENING_SHARE + 0.1
"""A lease is open after this time."""


async def opened(front: StorageFront, clock: MovedClock) -> None:
    """Let a lease become open; it is renewed, too."""
    await _moved(front, clock, OPENING_SECONDS, requests=2)


async def renewed(front: StorageFront, clock: MovedClock) -> None:
    """Let an open lease be renewed."""
    await _moved(front, clock, RENEWAL_SECONDS + 0.1, requests=1)


async def _moved(front: StorageFront, clock: MovedClock, seconds: float, requests: int) -> None:
    """Move the clock, and wait until the requests that this causes are answered.

    One that was still under way would time out at the next move.
    """

    def handled() -> int:
        return sum(call.name == f"PUT blob lease {CONTAINER}" for call in front.handled)

    before = handled()
    clock.move(seconds)
    await comes_true(lambda: handled() >= before + requests)
    await settled()
