"""Throttle: buckets that refill with time."""

import pytest

from bot_workbench.emulator.resource_manager.errors import ArmError
from bot_workbench.emulator.resource_manager.throttle import Throttle


def test_a_bucket_refills_up_to_its_size() -> None:
    """Each second brings writes back, and never more than the bucket holds."""
    now = 1000.0
    throttle = Throttle(size=3, refill=2, clock=lambda: now)
    assert [throttle.take("a") for _ in range(3)] == [2, 1, 0]
    with pytest.raises(ArmError) as caught:
        throttle.take("a")
    assert caught.value.headers["Retry-After"] == "1"
    assert throttle.take("b") == 2
    now += 0.5
    assert throttle.take("a") == 0
    now += 60
    assert throttle.take("a") == 2


def test_a_slow_bucket_says_how_long_to_wait() -> None:
    """Retry-After has whole seconds, after which the write is accepted."""
    now = 1000.0
    throttle = Throttle(size=1, refill=0.25, clock=lambda: now)
    throttle.take("a")
    now += 1
    with pytest.raises(ArmError) as caught:
        throttle.take("a")
    wait = int(caught.value.headers["Retry-After"])
    assert wait == 3
    now += wait
    assert throttle.take("a") == 0


def test_a_bucket_of_no_size_limits_nothing() -> None:
    """The throttle is off."""
    throttle = Throttle(size=0)
    assert len({throttle.take("a") for _ in range(500)}) == 1
