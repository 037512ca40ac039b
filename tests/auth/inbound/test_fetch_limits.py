"""SigningKeys: how often keys are fetched in a flood of unknown key ids and in an outage."""

import asyncio
import contextlib
import uuid
from typing import Any

import pytest

from auth.errors import KeysUnavailable
from auth.inbound.bearer_token import FETCH_WINDOW_SECONDS, MAX_FETCHES, SigningKeys
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher

OWN = "tests/auth/inbound/test_fetch_limits.py"

HOUR = 3600.0
DAY = 24 * 3600.0
MINUTE = 60.0


async def refused(keys: SigningKeys, kid: str = "made up") -> int:
    """Check that a search raises KeysUnavailable; returns its retry_after (seconds)."""
    with pytest.raises(KeysUnavailable) as caught:
        await keys.find(kid)
    return caught.value.retry_after


async def test_unknown_keys_are_fetched_within_the_budget(
    keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """However often they are requested; the first fetch after an outage is enough."""
    publisher.failure = ConnectionError("refused")
    for _ in range(300):
        with pytest.raises(KeysUnavailable):
            await keys.ensure_known()
        clock.advance(FETCH_WINDOW_SECONDS / 300)
    assert 1 < publisher.fetches <= MAX_FETCHES
    publisher.failure = None
    clock.advance(FETCH_WINDOW_SECONDS)
    await asyncio.gather(*(keys.ensure_known() for _ in range(50)))
    assert publisher.fetches <= MAX_FETCHES + 1
    assert await keys.find("old")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (None, "though the keys were fetched just now"),
        (OSError(), "and keys cannot be fetched now"),
    ],
)
async def test_why_a_key_is_unknown(
    failure: Exception | None,
    reason: str,
    keys: SigningKeys,
    publisher: KeyPublisher,
    clock: Clock,
) -> None:
    """The error tells a made-up id from an outage, at its end: the id is the caller's."""
    await keys.ensure_known()
    publisher.failure = failure
    clock.advance(MINUTE)
    with contextlib.suppress(KeysUnavailable):
        await keys.find("made up")
    with pytest.raises(KeysUnavailable, match=f"is unknown, {reason}$"):
        await keys.find("made up")


@pytest.mark.parametrize("early", [False, True], ids=["on time", "early"])
async def test_an_early_failure(
    early: bool, keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """After a failed prefetch, callers' fetches happen at the same times as without it."""
    publisher.failure = ConnectionError("refused")
    if early:
        keys.prefetch()
        await settled()
    start, tried_at = clock.now, []
    for _ in range(40):
        for _ in range(3):
            before = publisher.fetches
            with pytest.raises(KeysUnavailable):
                await keys.find("old")
            tried_at += [clock.now - start] * (publisher.fetches - before)
        clock.advance(1)
    assert tried_at == [0, 0, 2, 32]


async def test_an_early_fetch_counts(
    keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """A fetch that `begin` makes counts in the same budget."""
    keys.prefetch()
    await settled()
    for _ in range(int(FETCH_WINDOW_SECONDS)):
        await asyncio.gather(keys.find(uuid.uuid4().hex), return_exceptions=True)
        clock.advance(1)
    assert publisher.fetches == MAX_FETCHES


async def test_a_flood(warm: SigningKeys, publisher: KeyPublisher) -> None:
    """A thousand made-up ids, one after the other, cost one fetch in all."""
    assert await warm.find(uuid.uuid4().hex) is None
    for _ in range(1000):
        assert await refused(warm, uuid.uuid4().hex) == 60
        assert await warm.find("old")
    assert publisher.fetches == 2


async def test_a_rollover_after_a_flood_at_the_start(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """A minute after a flood has ended, a new key is accepted, even in a young process."""
    for _ in range(100):
        with contextlib.suppress(KeysUnavailable):
            assert await warm.find(uuid.uuid4().hex) is None
    publisher.publish(new)
    assert await refused(warm, "new") == 60
    clock.advance(60)
    assert await warm.find("new")


async def test_a_flood_waits_for_nothing(warm: SigningKeys) -> None:
    """While no fetch is allowed, an unknown key is refused without waiting and without a task."""
    await warm.find("made up")
    tasks = len(asyncio.all_tasks())
    for _ in range(1000):
        with pytest.raises(KeysUnavailable):
            warm.find(uuid.uuid4().hex).send(None)
    assert len(asyncio.all_tasks()) == tasks


async def test_a_flood_at_once(warm: SigningKeys, publisher: KeyPublisher) -> None:
    """Concurrent unknown ids share one fetch, and a known key does not wait for it."""
    publisher.open.clear()
    flood = [asyncio.create_task(warm.find(uuid.uuid4().hex)) for _ in range(200)]
    await settled()
    async with asyncio.timeout(5):
        assert await warm.find("old")
    publisher.open.set()
    first, *others = await asyncio.gather(*flood, return_exceptions=True)
    # The fetch started after the first search and before the others.
    assert first is None
    assert {type(each) for each in others} == {KeysUnavailable}
    assert publisher.fetches == 2


@pytest.mark.parametrize(
    "start",
    [
        *(0.0, 100.0, HOUR),
        *(
            pytest.param(each, marks=pytest.mark.extended(covered_by=[OWN]))
            for each in (1.0, 59.0, 60.0, 299.0, HOUR - 1, HOUR + 1, 5 * HOUR)
        ),
    ],
)
async def test_rollovers_in_a_flood(
    start: float, publisher: KeyPublisher, clock: Clock, old: dict[str, Any]
) -> None:
    """Whenever a flood begins, and whenever keys roll during it, the new key is soon accepted.

    It takes a minute at most, but longer for keys that roll in one of the five minutes after the
    first fetch. There are never more than five fetches in five minutes.
    """
    first, fetched_at = clock.now, []

    async def fetch(url: str) -> bytes:
        fetched_at.extend([clock.now] * (url == METADATA_URL))
        return await publisher(url)

    keys = SigningKeys(METADATA_URL, fetch, clock=clock)
    assert await keys.find("old")
    while clock.now < first + start:
        clock.advance(min(HOUR / 4, first + start - clock.now))
        assert await keys.find("old")
        await settled()
    published, waiting = [old], {}
    for _ in range(1200):
        kid = f"rolled at {clock.now}"
        published.append({**old, "kid": kid})
        waiting[kid] = clock.now
        publisher.publish(*published)
        for each in [uuid.uuid4().hex, *waiting]:
            with contextlib.suppress(KeysUnavailable):
                if await keys.find(each):
                    del waiting[each]
        clock.advance(1)
        late = {rolled for rolled in waiting.values() if clock.now - rolled > MINUTE}
        if start < MINUTE:
            late -= {each for each in late if 180 <= each - first <= FETCH_WINDOW_SECONDS - MINUTE}
        assert not late
    assert (MAX_FETCHES, FETCH_WINDOW_SECONDS) == (5, 300.0)
    sixth_later = zip(fetched_at, fetched_at[MAX_FETCHES:], strict=False)
    assert all(later - first >= FETCH_WINDOW_SECONDS for first, later in sixth_later)


@pytest.mark.parametrize("length", range(1, 400, 13))
async def test_a_flood_in_an_outage(
    length: int, warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """A flood while the endpoint is down leaves budget for a fetch when it is up again."""
    clock.advance(HOUR / 2)
    publisher.failure = ConnectionError("refused")
    for _ in range(length):
        await refused(warm, uuid.uuid4().hex)
        clock.advance(1)
    publisher.failure = None
    publisher.publish(new)
    back_at, found = clock.now, None
    while found is None:
        assert clock.now - back_at <= 3 * MINUTE
        with contextlib.suppress(KeysUnavailable):
            found = await warm.find("new")
        clock.advance(1)


async def test_when_to_retry(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """The failure for a new key says when the next fetch is allowed, which finds the key."""
    clock.advance(HOUR / 2)
    assert await warm.find("made up") is None
    publisher.publish(new)
    clock.advance(0.5)
    assert await refused(warm, "new") == 60
    clock.advance(58.5)
    assert await refused(warm, "new") == 1
    clock.advance(1)
    assert await warm.find("new")


async def test_a_roll_during_a_fetch(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """A fetch that read the key set before the roll does not prove that the new key is unknown."""
    publisher.open.clear()
    junk = asyncio.create_task(warm.find("made up"))
    await settled()
    publisher.publish(new)
    rolled = asyncio.create_task(refused(warm, "new"))
    await settled()
    publisher.open.set()
    assert await junk is None
    clock.advance(await rolled)
    assert await warm.find("new")
    assert publisher.fetches == 3


async def test_the_last_known_keys_are_kept(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With the endpoint down for days, known keys serve on, and fetches stay few."""
    publisher.failure = ConnectionError("refused")
    for _ in range(2 * 24 * 60):
        clock.advance(60)
        assert await warm.find("old")
        await settled()
    assert publisher.fetches <= 2 * DAY / FETCH_WINDOW_SECONDS * MAX_FETCHES
    assert "ConnectionError: refused" in caplog.text
    assert "1 known keys stay in use" in caplog.text


async def test_recovery_after_days(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """When the endpoint is back, so are the rollovers."""
    publisher.failure = ConnectionError("refused")
    clock.advance(2 * DAY)
    assert await warm.find("old")
    publisher.failure = None
    publisher.publish(new)
    assert await warm.find("new")
    assert await warm.find("old") is None


async def test_an_outage_in_a_search(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, new: dict[str, Any]
) -> None:
    """A failed fetch does not prove a key unknown; the next token triggers another at once."""
    clock.advance(HOUR / 2)
    publisher.publish(new)
    publisher.failure = TimeoutError()
    assert await refused(warm, "new") == 1
    assert await warm.find("old")
    publisher.failure = None
    assert await warm.find("new")


async def test_pauses_in_a_warm_outage(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """A second attempt follows at once, then one a minute, until the budget is spent."""
    clock.advance(HOUR / 2)
    publisher.failure = ConnectionError("refused")
    start, tried_at = clock.now, []
    for _ in range(400):
        for _ in range(3):
            before = publisher.fetches
            await refused(warm)
            tried_at += [clock.now - start] * (publisher.fetches - before)
        clock.advance(1)
    assert tried_at == [0, 0, 60, 120, 180, 300, 360]


async def test_cold_outage(keys: SigningKeys, publisher: KeyPublisher, clock: Clock) -> None:
    """With nothing known and the endpoint down the token cannot be checked, until it is back."""
    publisher.failure = ConnectionError("refused")
    for _ in range(3):
        with pytest.raises(KeysUnavailable, match=METADATA_URL) as caught:
            await keys.find("old")
        assert caught.value.retry_after > 0
    publisher.failure = None
    clock.advance(2)
    assert await keys.find("old")


async def test_pauses_in_a_cold_outage(
    keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """Attempts come further and further apart, so that the budget outlasts an outage."""
    publisher.failure = ConnectionError("refused")
    start, tried_at = clock.now, []
    for _ in range(310):
        for _ in range(2):
            before = publisher.fetches
            with pytest.raises(KeysUnavailable):
                await keys.find("old")
            tried_at += [clock.now - start] * (publisher.fetches - before)
        clock.advance(1)
    assert tried_at == [0, 0, 2, 32, 152, 300]


async def test_pauses_end_with_a_success(
    keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """Past failures do not count in the next outage: it begins with a try at once again."""
    publisher.failure = ConnectionError("refused")
    await refused(keys)
    publisher.failure = None
    assert await keys.find("old")
    clock.advance(HOUR / 2)
    publisher.failure = ConnectionError("refused")
    for _ in range(3):
        await refused(keys)
    assert publisher.fetches == 4
