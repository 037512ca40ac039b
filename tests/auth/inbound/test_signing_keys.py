"""SigningKeys: found at once, refreshed in time, never lost."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.errors import KeysUnavailable
from auth.inbound.bearer_token import SigningKeys
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher

HOUR = 3600.0

DAY = 24 * HOUR

MINUTE = 60.0


async def test_a_key(keys: SigningKeys, publisher: KeyPublisher, key: rsa.RSAPrivateKey) -> None:
    """The first search fetches the key, with its endorsements."""
    found = await keys.find("old")
    assert found is not None
    assert found.public_key.public_numbers() == key.public_key().public_numbers()
    assert found.endorsements == {"webchat", "msteams"}
    assert publisher.fetches == 1


async def test_nothing_is_fetched_at_first(publisher: KeyPublisher, clock: Clock) -> None:
    """Making the object costs nothing."""
    SigningKeys(METADATA_URL, publisher, clock=clock)
    await settled()
    assert publisher.fetches == 0


async def test_a_known_key_costs_nothing(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """Within the hour a known key is returned from memory."""
    for _ in range(100):
        assert await warm.find("old")
        clock.advance(HOUR / 101)
    assert publisher.fetches == 1


async def test_cold_callers_share_one_fetch(keys: SigningKeys, publisher: KeyPublisher) -> None:
    """Fifty callers at once cost one fetch."""
    assert all(await asyncio.gather(*(keys.find("old") for _ in range(50))))
    assert publisher.fetches == 1


async def test_an_early_fetch(keys: SigningKeys, publisher: KeyPublisher) -> None:
    """A fetch that began before the first search is the only one."""
    publisher.open.clear()
    keys.prefetch()
    early = [asyncio.create_task(keys.find("old")) for _ in range(20)]
    await settled()
    publisher.open.set()
    assert all(await asyncio.gather(*early))
    assert await keys.find("old")
    assert publisher.fetches == 1


async def test_known_keys_are_ensured_without_a_fetch(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """An outage does not matter while keys are known; later the hourly refresh continues."""
    publisher.failure = ConnectionError("refused")
    await warm.ensure_known()
    assert publisher.fetches == 1
    clock.advance(HOUR)
    await warm.ensure_known()
    await settled()
    assert publisher.fetches == 2


async def test_a_rollover(
    warm: SigningKeys,
    publisher: KeyPublisher,
    new: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first token with a new key finds it; a withdrawn key is forgotten by that.

    The log says so.
    """
    caplog.set_level("INFO")
    publisher.publish(new)
    assert await warm.find("new")
    assert await warm.find("old") is None
    assert caplog.messages == ["The channel's signing keys are now new"]


async def test_the_first_keys(keys: SigningKeys, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged: each start and each reload would repeat it."""
    caplog.set_level("INFO")
    assert await keys.find("old")
    assert caplog.messages == []


async def test_a_withdrawn_key(
    warm: SigningKeys, publisher: KeyPublisher, new: dict[str, Any], clock: Clock
) -> None:
    """A key that the channel has withdrawn is not found, and costs no fetch; it may come back."""
    publisher.publish(new)
    assert await warm.find("new")
    for _ in range(10):
        assert await warm.find("old") is None
    assert publisher.fetches == 2
    publisher.publish(new, {**new, "kid": "old"})
    clock.advance(2 * MINUTE)
    assert await warm.find("old")


async def test_an_unknown_key(warm: SigningKeys, publisher: KeyPublisher) -> None:
    """A key that the channel does not have costs one fetch and is not found."""
    assert await warm.find("made up") is None
    assert publisher.fetches == 2


async def test_a_roll_during_the_first_fetch(
    keys: SigningKeys, publisher: KeyPublisher, new: dict[str, Any]
) -> None:
    """If keys roll during the very first fetch, one more follows at once."""
    publisher.open.clear()
    keys.prefetch()
    await settled()
    publisher.publish(new)
    rolled = asyncio.create_task(keys.find("new"))
    await settled()
    publisher.open.set()
    assert await rolled
    assert publisher.fetches == 2


async def test_a_roll_just_before_a_fetch(
    warm: SigningKeys, publisher: KeyPublisher, new: dict[str, Any]
) -> None:
    """A fetch under way that brings the key is enough for all who wait for it."""
    publisher.publish(new)
    assert all(await asyncio.gather(*(warm.find("new") for _ in range(20))))
    assert publisher.fetches == 2


async def test_the_hourly_renewal(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """After an hour the keys are refreshed in the background, and no caller waits."""
    publisher.publish(new)
    clock.advance(HOUR)
    publisher.open.clear()
    for _ in range(20):
        assert await warm.find("old")
        await settled()
    assert publisher.fetches == 2
    publisher.open.set()
    await settled()
    assert await warm.find("new")
    assert publisher.fetches == 2


async def test_after_a_day(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """Keys a day old are refreshed before they are used: a withdrawn key is refused."""
    publisher.publish(new)
    clock.advance(DAY)
    assert await warm.find("old") is None
    assert await warm.find("new")
    assert publisher.fetches == 2


async def test_a_silent_endpoint(publisher: KeyPublisher) -> None:
    """A fetch that takes too long fails."""
    keys = SigningKeys(METADATA_URL, publisher, fetch_timeout=0.01)
    publisher.open.clear()
    async with asyncio.timeout(30):
        with pytest.raises(KeysUnavailable):
            await keys.find("old")
    publisher.open.set()
    assert await keys.find("old")


async def test_a_caller_that_goes_away(keys: SigningKeys, publisher: KeyPublisher) -> None:
    """A cancelled caller does not take the others' fetch with it."""
    publisher.open.clear()
    first, second = (asyncio.create_task(keys.find("old")) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    publisher.open.set()
    assert await second
    assert publisher.fetches == 1
