"""Pace: when the next activity may be sent, so that Teams does not have to refuse it.

Source: Microsoft reference "Optimize your bot with rate limiting in Teams": 50 requests a second
for an app in a tenant; in one conversation 7 in 1 s, 8 in 2 s, 60 in 30 s and 1,800 in 3,600 s. The
same page says that the values may change, and that 429 decides.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

PER_SECOND = 40.0
"""Requests of a tenant, one after the other: replies to users need the rest."""

WINDOWS = ((1.0, 7), (2.0, 8), (30.0, 60), (3600.0, 1800))
"""Seconds, and how many requests to one conversation they may see."""

MOST_CONVERSATIONS = 10_000
"""Whose last requests are remembered."""

_INTERVAL = 1 / PER_SECOND
_MOST_TIMES = max(most for _, most in WINDOWS)
_SHORTEST_SLEEP = 0.001


class RateLimiter:
    """The requests of this process.

    Even steps, without bursts: so the rate of a tenant holds across processes too, as long as they
    send one after the other.

    Args:
        clock: seconds, monotonic.
        sleep: waits; tests pass one that moves the clock.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._next: dict[str, float] = {}
        self._times: dict[str, deque[float]] = {}
        self._paused_until = 0.0

    async def turn(self, tenant: str, conversation: str, end: float) -> bool:
        """Wait for the next request's turn.

        Args:
            tenant: GUID; empty where there is none.
            conversation: what names it, whatever it is.
            end: on the clock; False is returned when the turn would come later.
        """
        while (ready := self._ready(tenant, conversation)) > (now := self._clock()):
            if ready > end:
                return False
            await self._sleep(max(ready - now, _SHORTEST_SLEEP))
        self._note(tenant, conversation)
        return True

    def pause(self, seconds: float) -> None:
        """Let nobody have a turn for so long: the service asks all of us to wait."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    @property
    def pause_left(self) -> float:
        """Seconds until the pause ends; 0: there is none."""
        return max(0.0, self._paused_until - self._clock())

    def _ready(self, tenant: str, conversation: str) -> float:
        times = self._times.get(conversation, ())
        full = (times[-most] + seconds for seconds, most in WINDOWS if len(times) >= most)
        return max(self._paused_until, self._next.get(tenant, 0.0), *full)

    def _note(self, tenant: str, conversation: str) -> None:
        now = self._clock()
        # A turn that came late is made up for, by one.
        self._next[tenant] = max(self._next.get(tenant, 0.0), now - _INTERVAL) + _INTERVAL
        times = self._times.pop(conversation, None) or deque(maxlen=_MOST_TIMES)
        times.append(now)
        self._times[conversation] = times  # the last one, again
        if len(self._times) > MOST_CONVERSATIONS:
            del self._times[next(iter(self._times))]
