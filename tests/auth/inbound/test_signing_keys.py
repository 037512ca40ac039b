"""SigningKeys: found at once, renewed in time, never asked for too often, never lost."""

import asyncio
import contextlib
import uuid
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from auth.errors import KeysUnavailable
from auth.inbound.signing_keys import BUDGET, BUDGET_WINDOW, SigningKeys
from emulator.entra.token_issuer import IssuerKey
from emulator.server import Server
from http_client.pool import HttpPool
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.wire.key_publisher import KEYS_URL, METADATA_URL, KeyPublisher

HOUR = 3600.0
DAY = 24 * HOUR

MINUTE = 60.0


async def refused(keys: SigningKeys, kid: str = "made up") -> int:
    """Check that a search raises KeysUnavailable; returns its retry_after (seconds)."""
    with pytest.raises(KeysUnavailable) as caught:
        await keys.find(kid)
    return caught.value.retry_after


@pytest.fixture(scope="module")
def old(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The key that is published at first."""
    return IssuerKey("old", key, ("webchat", "msteams")).jwk()


@pytest.fixture(scope="module")
def new(other_key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The key that the channel rolls to."""
    return IssuerKey("new", other_key, ("webchat",)).jwk()


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def publisher(old: dict[str, Any]) -> KeyPublisher:
    return KeyPublisher([old])


@pytest.fixture
def keys(publisher: KeyPublisher, clock: Clock) -> SigningKeys:
    """Nothing is fetched yet."""
    return SigningKeys(METADATA_URL, publisher, clock)


@pytest.fixture
async def warm(keys: SigningKeys) -> SigningKeys:
    """The published key is known."""
    assert await keys.find("old")
    return keys


async def test_a_key(keys: SigningKeys, publisher: KeyPublisher, key: rsa.RSAPrivateKey) -> None:
    """The first search fetches the key, with its endorsements."""
    found = await keys.find("old")
    assert found is not None
    assert found.public_key.public_numbers() == key.public_key().public_numbers()
    assert found.endorsements == {"webchat", "msteams"}
    assert publisher.fetches == 1


async def test_nothing_is_fetched_at_first(publisher: KeyPublisher, clock: Clock) -> None:
    """Making the object costs nothing."""
    SigningKeys(METADATA_URL, publisher, clock)
    await settled()
    assert publisher.fetches == 0


async def test_a_known_key_costs_nothing(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """Within the hour a known key is answered from memory."""
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
    """While keys are known, an outage does not matter; after an hour they are renewed as usual."""
    publisher.failure = ConnectionError("refused")
    await warm.ensure_known()
    assert publisher.fetches == 1
    clock.advance(HOUR)
    await warm.ensure_known()
    await settled()
    assert publisher.fetches == 2


async def test_unknown_keys_are_fetched_within_the_budget(
    keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """However often they are requested; the first fetch after an outage is enough."""
    publisher.failure = ConnectionError("refused")
    for _ in range(300):
        with pytest.raises(KeysUnavailable):
            await keys.ensure_known()
        clock.advance(BUDGET_WINDOW / 300)
    assert 1 < publisher.fetches <= BUDGET
    publisher.failure = None
    clock.advance(BUDGET_WINDOW)
    await asyncio.gather(*(keys.ensure_known() for _ in range(50)))
    assert publisher.fetches <= BUDGET + 1
    assert await keys.find("old")


@pytest.mark.parametrize("early", [False, True], ids=["on time", "early"])
async def test_an_early_failure(
    early: bool, keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """An early fetch that failed leaves callers the same tries at the same times."""
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
    for _ in range(int(BUDGET_WINDOW)):
        await asyncio.gather(keys.find(uuid.uuid4().hex), return_exceptions=True)
        clock.advance(1)
    assert publisher.fetches == BUDGET


async def test_a_rollover(warm: SigningKeys, publisher: KeyPublisher, new: dict[str, Any]) -> None:
    """The first token with a new key finds it; a withdrawn key is forgotten by that."""
    publisher.publish(new)
    assert await warm.find("new")
    assert await warm.find("old") is None


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
    """At once they cost no more, and nobody with a known key waits for them."""
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
    "start", [0.0, 1.0, 59.0, 60.0, 100.0, 299.0, HOUR - 1, HOUR, HOUR + 1, 5 * HOUR]
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

    keys = SigningKeys(METADATA_URL, fetch, clock)
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
            late -= {each for each in late if 180 <= each - first <= BUDGET_WINDOW - MINUTE}
        assert not late
    assert (BUDGET, BUDGET_WINDOW) == (5, 300.0)
    sixth_later = zip(fetched_at, fetched_at[BUDGET:], strict=False)
    assert all(later - first >= BUDGET_WINDOW for first, later in sixth_later)


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
    """A token with a new key is told when the next fetch may be made, and is accepted then."""
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
    """After an hour the keys are renewed in the background; nobody waits for that."""
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
    """Keys a day old are not used while new ones can be had: a withdrawn key is refused."""
    publisher.publish(new)
    clock.advance(DAY)
    assert await warm.find("old") is None
    assert await warm.find("new")
    assert publisher.fetches == 2


async def test_the_last_known_keys_are_kept(
    warm: SigningKeys, publisher: KeyPublisher, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With the endpoint down for days, known keys serve on, and fetches stay few."""
    publisher.failure = ConnectionError("refused")
    for _ in range(2 * 24 * 60):
        clock.advance(60)
        assert await warm.find("old")
        await settled()
    assert publisher.fetches <= 2 * DAY / BUDGET_WINDOW * BUDGET
    assert "ConnectionError: refused" in caplog.text
    assert "1 known ones stay in use" in caplog.text


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
    """Tries come further and further apart, so that the budget outlasts an outage."""
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


async def test_a_silent_endpoint(
    keys: SigningKeys, publisher: KeyPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that takes too long is given up on."""
    monkeypatch.setattr("auth.inbound.signing_keys.FETCH_TIMEOUT", 0.01)
    publisher.open.clear()
    async with asyncio.timeout(5):
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


BROKEN: dict[str, tuple[str, bytes]] = {
    "metadata empty": (METADATA_URL, b""),
    "metadata a page": (METADATA_URL, b"<html></html>"),
    "metadata not UTF-8": (METADATA_URL, b'{"jwks_uri": "\xff"}'),
    "metadata a list": (METADATA_URL, b"[]"),
    "metadata a string": (METADATA_URL, b'"jwks_uri"'),
    "metadata null": (METADATA_URL, b"null"),
    "no jwks_uri": (METADATA_URL, b"{}"),
    "jwks_uri elsewhere": (METADATA_URL, b'{"jwks_uri": "https://login.example/other"}'),
    "jwks_uri null": (METADATA_URL, b'{"jwks_uri": null}'),
    "jwks_uri a list": (METADATA_URL, b'{"jwks_uri": []}'),
    "metadata deep": (METADATA_URL, b"[" * 100_000),
    "keys empty": (KEYS_URL, b""),
    "keys a page": (KEYS_URL, b"<html></html>"),
    "keys a list": (KEYS_URL, b"[]"),
    "keys a string": (KEYS_URL, b'"keys"'),
    "keys null": (KEYS_URL, b"null"),
    "no keys": (KEYS_URL, b"{}"),
    "keys in null": (KEYS_URL, b'{"keys": null}'),
    "keys in a string": (KEYS_URL, b'{"keys": "old"}'),
    "keys in an object": (KEYS_URL, b'{"keys": {"old": {}}}'),
    "an empty list": (KEYS_URL, b'{"keys": []}'),
    "a list of nothing": (KEYS_URL, b'{"keys": [null, 1, "old", [], {}]}'),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_documents(
    name: str, keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """A document that holds no key is a failed fetch: cold it is an outage, warm it is nothing."""
    url, body = BROKEN[name]
    whole = dict(publisher.documents)
    publisher.documents[url] = body
    with pytest.raises(KeysUnavailable):
        await keys.find("old")
    publisher.documents.update(whole)
    assert await keys.find("old")
    publisher.documents[url] = body
    clock.advance(DAY)
    assert await keys.find("old")


def elliptic() -> dict[str, Any]:
    """An EC key (RFC 7518, 6.2)."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "kid": "other", "x": str(numbers.x), "y": str(numbers.y)}


def small() -> dict[str, Any]:
    """An RSA key that RFC 7518 forbids."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # what must be refused
    return IssuerKey("other", key, ("webchat",)).jwk()


UNUSABLE: dict[str, dict[str, Any]] = {
    "EC": elliptic(),
    "1024 bits": small(),
    "no modulus": {"n": None},
    "modulus not base64": {"n": "é"},
    "modulus cut off": {"n": "A"},
    "exponent even": {"e": "AAAA"},
    "exponent a number": {"e": 65537},
    "for encryption": {"use": "enc"},
    "use null": {"use": None},
    "for another algorithm": {"alg": "PS256"},
    "for RSA encryption": {"alg": "RSA-OAEP"},
    "of another type": {"kty": "oct"},
    "type in lower case": {"kty": "rsa"},
    "no type": {"kty": None},
    "endorsements null": {"endorsements": None},
    "endorsements a number": {"endorsements": 1},
}
"""Whole keys, or what makes a good one unusable."""


@pytest.mark.parametrize("name", UNUSABLE)
async def test_a_broken_key_beside_a_good_one(
    name: str, keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any], new: dict[str, Any]
) -> None:
    """A key that cannot be used is passed over; the good ones around it are not."""
    flaw = UNUSABLE[name]
    publisher.publish(flaw if "kid" in flaw else {**new, "kid": "other", **flaw}, old)
    assert await keys.find("old")
    assert await keys.find("other") is None


@pytest.mark.parametrize("name", ["use", "alg"])
async def test_a_key_that_does_not_say_what_it_is_for(
    name: str, keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any]
) -> None:
    """Both are optional: without them, the key is used for RS256 signatures."""
    publisher.publish({each: value for each, value in old.items() if each != name})
    assert await keys.find("old")
    publisher.publish({**old, "kid": "signs", "use": "sig", "alg": "RS256"})
    assert await keys.find("signs")


async def test_a_key_without_an_id(
    keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any], new: dict[str, Any]
) -> None:
    """So is a key without an id."""
    publisher.publish({name: value for name, value in new.items() if name != "kid"}, old)
    assert await keys.find("old")
    assert await keys.find("") is None


async def test_no_endorsements(
    keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any]
) -> None:
    """A key that endorses no channel is known, and speaks for none."""
    publisher.publish({name: value for name, value in old.items() if name != "endorsements"})
    found = await keys.find("old")
    assert found is not None
    assert found.endorsements == frozenset()


async def test_redirects_are_not_followed(old: dict[str, Any]) -> None:
    """Over HTTP, a document that has moved is a failed fetch, whoever it points to."""
    moved = True

    async def metadata(_: web.Request) -> web.Response:
        return web.json_response({"jwks_uri": f"{server.url}/keys"})

    async def key_set(_: web.Request) -> web.Response:
        if moved:
            raise web.HTTPFound(f"{server.url}/elsewhere")
        return web.json_response({"keys": [old]})

    async def elsewhere(_: web.Request) -> web.Response:
        return web.json_response({"keys": [old]})

    routes = [
        web.get("/metadata", metadata),
        web.get("/keys", key_set),
        web.get("/elsewhere", elsewhere),
    ]
    server = Server("keys", routes)
    await server.start()
    pool = HttpPool()
    keys = SigningKeys(f"{server.url}/metadata", pool.get_document)
    with pytest.raises(KeysUnavailable):
        await keys.find("old")
    assert server.requests["GET /elsewhere"] == 0
    moved = False
    assert await keys.find("old")
    await pool.close()
    await server.stop()
