"""RateLimiter: when the next proactive message may be sent within Teams' limits.

Source: Microsoft reference "Optimize your bot with rate limiting in Teams": 50 requests a second
for an app in a tenant; in one conversation 7 in 1 s, 8 in 2 s, 60 in 30 s and 1,800 in 3,600 s. The
limits may change, says the page; the service's 429 decides.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

REQUESTS_PER_SECOND = 40.0
"""Requests to one tenant. The rest of the limit is for replies to users."""

WINDOWS = ((1.0, 7), (2.0, 8), (30.0, 60), (3600.0, 1800))
"""Seconds, and the requests to one conversation that are allowed in them."""

MAX_CONVERSATIONS = 10_000
"""Conversations whose latest requests are remembered."""

_INTERVAL = 1 / REQUESTS_PER_SECOND
_MAX_TIMES = max(limit for _, limit in WINDOWS)
_MIN_SLEEP = 0.001


class RateLimiter:
    """Spaces the requests of this process.

    Requests to a tenant are spaced evenly, without bursts. So processes that send one after the
    other keep to the limit together.

    Args:
        clock: seconds, monotonic.
        sleep: waits; tests pass one that moves the clock.
        max_conversations: whose latest requests are remembered.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        max_conversations: int = MAX_CONVERSATIONS,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._max_conversations = max_conversations
        self._next: dict[str, float] = {}
        self._times: dict[str, deque[float]] = {}
        self._paused_until = 0.0

    async def acquire(self, tenant: str, conversation: str, end: float) -> bool:
        """Wait until the next request may be sent.

        Args:
            tenant: GUID; empty when there is none.
            conversation: any text that identifies it.
            end: on the clock; returns False at once when the request would be later.
        """
        while (ready := self._ready(tenant, conversation)) > (now := self._clock()):
            if ready > end:
                return False
            await self._sleep(max(ready - now, _MIN_SLEEP))
        self._record(tenant, conversation)
        return True

    def pause(self, seconds: float) -> None:
        """Send nothing for this long: the service has asked the bot to wait."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    @property
    def remaining_pause(self) -> float:
        """Seconds until the pause ends; 0 when there is none."""
        return max(0.0, self._paused_until - self._clock())

    def _ready(self, tenant: str, conversation: str) -> float:
        times = self._times.get(conversation, ())
        full = (times[-limit] + seconds for seconds, limit in WINDOWS if len(times) >= limit)
        return max(self._paused_until, self._next.get(tenant, 0.0), *full)

    def _record(self, tenant: str, conversation: str) -> None:
        now = self._clock()
        # A request that was late may be followed by one that is early.
        self._next[tenant] = max(self._next.get(tenant, 0.0), now - _INTERVAL) + _INTERVAL
        times = self._times.pop(conversation, None) or deque(maxlen=_MAX_TIMES)
        times.append(now)
        self._times[conversation] = times  # moved to the end, as the latest
        if len(self._times) > self._max_conversations:
            del self._times[next(iter(self._times))]
