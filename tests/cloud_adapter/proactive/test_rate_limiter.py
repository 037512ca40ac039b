"""Pace: Teams' limits, on a clock that is moved by hand."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.proactive import rate_limiter as pace_module
from cloud_adapter.proactive.rate_limiter import PER_SECOND, WINDOWS, RateLimiter
from tests.support.timing.clock import Clock

A_TICK = 0.01


class Timer(Clock):
    """A clock that sleeps move."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        self.advance(seconds)
        await asyncio.sleep(0)


async def turns(timer: Timer, places: list[tuple[str, str]]) -> list[float]:
    """When each of these had its turn."""
    pace, found = RateLimiter(timer, timer.sleep), []
    for tenant, conversation in places:
        assert await pace.turn(tenant, conversation, math.inf)
        found.append(timer())
    return found


def most_within(times: list[float], seconds: float) -> int:
    """The fullest window."""
    return max(sum(start <= when < start + seconds for when in times) for start in times)


async def test_a_tenant() -> None:
    """Even steps: any second has 40, give or take the one that is made up for."""
    times = await turns(Timer(1000.0), [("t", str(number)) for number in range(400)])
    assert most_within(times, 1 - A_TICK) <= PER_SECOND + 1
    assert times[-1] - times[0] == pytest.approx(399 / PER_SECOND, rel=0.02)


async def test_tenants_do_not_wait_for_each_other() -> None:
    """Each has a rate of its own."""
    places = [(tenant, str(number)) for number in range(100) for tenant in "ab"]
    times = await turns(Timer(1000.0), places)
    assert times[-1] - times[0] == pytest.approx(99 / PER_SECOND, rel=0.05)


@pytest.mark.parametrize(("seconds", "most"), WINDOWS)
async def test_a_conversation(seconds: float, most: int) -> None:
    """No window has more than it may, and the conversation is as quick as they allow."""
    times = await turns(Timer(1000.0), [("t", "c")] * (most + 20))
    assert most_within(times, seconds - A_TICK) <= most
    assert most_within(times, seconds + 1) >= most


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123")), max_size=60))
def test_any_mixture(places: list[tuple[str, str]]) -> None:
    """Whatever is sent where, all limits hold."""
    times = asyncio.run(turns(Timer(1000.0), places))
    named = list(zip(places, times, strict=True))
    for conversation in {place[1] for place in places}:
        own = [when for (_, place), when in named if place == conversation]
        for seconds, most in WINDOWS:
            assert most_within(own, seconds - A_TICK) <= most
    for tenant in {place[0] for place in places}:
        own = [when for (place, _), when in named if place == tenant]
        assert most_within(own, 0.5 - A_TICK) <= PER_SECOND / 2 + 1


async def test_a_pause_is_everybodys() -> None:
    """While the service asks to wait nobody has a turn; the longest pause counts."""
    timer = Timer(1000.0)
    pace = RateLimiter(timer, timer.sleep)
    pace.pause(30)
    pace.pause(5)
    assert pace.pause_left == 30
    assert await pace.turn("a", "1", math.inf)
    assert timer() == 1030
    assert pace.pause_left == 0


async def test_a_turn_after_the_end() -> None:
    """It is refused at once, without waiting, and takes no room."""
    timer = Timer(1000.0)
    pace = RateLimiter(timer, timer.sleep)
    pace.pause(30)
    assert not await pace.turn("a", "1", 1029.0)
    assert timer() == 1000
    assert await pace.turn("a", "1", 1030.0)


async def test_old_conversations_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded; who was sent to last is kept."""
    monkeypatch.setattr(pace_module, "MOST_CONVERSATIONS", 3)
    timer = Timer(1000.0)
    pace = RateLimiter(timer, timer.sleep)
    for conversation in "abcade":
        await pace.turn("t", conversation, math.inf)
    assert list(pace._times) == ["a", "d", "e"]
