"""RateLimiter: Teams' limits, on a clock that is moved by hand."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.proactive.sender import REQUESTS_PER_SECOND, WINDOWS, RateLimiter
from tests.support.timing.stepped_clock import SteppedClock

A_TICK = 0.01


async def request_times(clock: SteppedClock, places: list[tuple[str, str]]) -> list[float]:
    """When a request to each of these tenants and conversations may be sent."""
    limiter, times = RateLimiter(clock, clock.sleep), []
    for tenant, conversation in places:
        assert await limiter.acquire(tenant, conversation, math.inf)
        times.append(clock())
    return times


def most_within(times: list[float], seconds: float) -> int:
    """The fullest window."""
    return max(sum(start <= when < start + seconds for when in times) for start in times)


async def test_a_tenant() -> None:
    """Requests are spaced evenly: any second has 40, or 41 after a late one."""
    times = await request_times(SteppedClock(), [("t", str(number)) for number in range(400)])
    assert most_within(times, 1 - A_TICK) <= REQUESTS_PER_SECOND + 1
    assert times[-1] - times[0] == pytest.approx(399 / REQUESTS_PER_SECOND, rel=0.02)


async def test_after_an_idle_time() -> None:
    """There is no burst: one request follows at once, the others in their steps."""
    clock = SteppedClock()
    limiter, times = RateLimiter(clock, clock.sleep), []
    assert await limiter.acquire("t", "first", math.inf)
    await clock.sleep(10)
    for number in range(10):
        assert await limiter.acquire("t", str(number), math.inf)
        times.append(clock())
    assert times[-1] - times[0] > 7.5 / REQUESTS_PER_SECOND


async def test_tenants_do_not_wait_for_each_other() -> None:
    """Each has its own limit."""
    places = [(tenant, str(number)) for number in range(100) for tenant in "ab"]
    times = await request_times(SteppedClock(), places)
    assert times[-1] - times[0] == pytest.approx(99 / REQUESTS_PER_SECOND, rel=0.05)


@pytest.mark.parametrize(("seconds", "most"), WINDOWS)
async def test_a_conversation(seconds: float, most: int) -> None:
    """No window has more requests than it may, and no request waits longer than that takes."""
    times = await request_times(SteppedClock(), [("t", "c")] * (most + 20))
    assert most_within(times, seconds - A_TICK) <= most
    assert most_within(times, seconds + 1) >= most


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123")), max_size=60))
def test_any_mixture(places: list[tuple[str, str]]) -> None:
    """Whatever is sent where, all limits hold."""
    times = asyncio.run(request_times(SteppedClock(), places))
    named = list(zip(places, times, strict=True))
    for conversation in {place[1] for place in places}:
        own = [when for (_, place), when in named if place == conversation]
        for seconds, most in WINDOWS:
            assert most_within(own, seconds - A_TICK) <= most
    for tenant in {place[0] for place in places}:
        own = [when for (place, _), when in named if place == tenant]
        assert most_within(own, 0.5 - A_TICK) <= REQUESTS_PER_SECOND / 2 + 1


async def test_a_pause() -> None:
    """While the service asks to wait nothing is sent to anybody; the longest pause counts."""
    clock = SteppedClock()
    limiter = RateLimiter(clock, clock.sleep)
    limiter.pause(30)
    limiter.pause(5)
    assert limiter.remaining_pause == 30
    assert await limiter.acquire("a", "1", math.inf)
    assert clock() == 1030
    assert limiter.remaining_pause == 0


async def test_a_request_after_the_end() -> None:
    """It is refused at once, without waiting, and does not count."""
    clock = SteppedClock()
    limiter = RateLimiter(clock, clock.sleep)
    limiter.pause(30)
    assert not await limiter.acquire("a", "1", 1029.0)
    assert clock() == 1000
    assert await limiter.acquire("a", "1", 1030.0)


async def test_old_conversations_are_forgotten() -> None:
    """What is remembered is bounded; the conversation that was sent to last stays."""
    clock = SteppedClock()
    limiter = RateLimiter(clock, clock.sleep, max_conversations=2)
    for conversation in ["busy"] * 6 + ["old"] * 7 + ["busy", "new"]:
        await limiter.acquire(conversation, conversation, math.inf)
    began = clock()
    assert not await limiter.acquire("another tenant", "busy", began)
    assert await limiter.acquire("another tenant", "old", began)
