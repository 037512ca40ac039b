"""CertificateVersions: which versions are listed, loaded and tried."""

import asyncio

import pytest

from auth.certificates.versions import CHECK_INTERVAL_SECONDS, MAX_CANDIDATES, CertificateVersions
from auth.errors import (
    CertificateError,
    CertificateUnknown,
    EndpointDown,
    SignInError,
    Throttled,
    VaultForbidden,
)
from tests.support.credentials.certificate_store import DAY_SECONDS, ScriptedStore, check, sign_in
from tests.support.timing.loop_turns import settled


async def test_nothing_is_known_at_first(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Before the first listing there are no candidates; turns do not start one."""
    assert not versions.candidates()
    versions.refresh_if_due()
    await settled()
    assert store.listings == 0
    assert list(versions.warnings) == []
    await versions.refresh()
    assert versions.candidates() == ["v1"]


@pytest.mark.parametrize(
    ("known", "in_use", "tried"),
    [
        (3, "", ["v3", "v2", "v1"]),
        (3, "v3", ["v3", "v2", "v1"]),
        (3, "v2", ["v3", "v2", "v1"]),
        (MAX_CANDIDATES + 2, "", ["v6", "v5", "v4", "v3"]),
        (MAX_CANDIDATES + 2, "v4", ["v6", "v5", "v4", "v3"]),
        (MAX_CANDIDATES + 2, "v1", ["v6", "v5", "v4", "v1"]),
    ],
)
async def test_what_is_tried(
    known: int, in_use: str, tried: list[str], versions: CertificateVersions, store: ScriptedStore
) -> None:
    """The newest versions come first; the one in use is always among them."""
    for number in range(2, known + 1):
        store.add(f"v{number}")
    await versions.refresh()
    if in_use:
        await sign_in(versions, in_use)
    assert versions.candidates() == tried


async def test_a_version_that_is_removed(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """A version that the store no longer lists is not tried, though it was in use."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.add("v2")
    del store.certificates["v1"]
    await versions.refresh()
    assert versions.candidates() == ["v2"]


async def test_each_is_loaded_once(versions: CertificateVersions, store: ScriptedStore) -> None:
    """A version is read once, however many ask for it."""
    await versions.refresh()
    first, second = await asyncio.gather(versions.load("v1"), versions.load("v1"))
    assert first is second is await versions.load("v1")
    assert store.loads == ["v1"]


async def test_pins(store: ScriptedStore) -> None:
    """A version that is not among the allowed thumbprints is refused with its own."""
    store.add("v2")
    pin, other = (store.certificates[name].thumbprint for name in ("v1", "v2"))
    versions = CertificateVersions(store, frozenset({pin}), store.clock)
    assert (await versions.load("v1")).thumbprint == pin
    with pytest.raises(CertificateError, match=f"{other}, but CertificateThumbprint.*{pin}"):
        await versions.load("v2")


async def test_dates(versions: CertificateVersions, store: ScriptedStore) -> None:
    """A version is refused before its first day and after its last, at the time of each sign-in."""
    store.add("v2", starts_in_days=1, ends_in_days=3)
    with pytest.raises(CertificateError, match="not valid before"):
        await versions.load("v2")
    store.clock.advance(2 * DAY_SECONDS)
    assert await versions.load("v2")
    store.clock.advance(2 * DAY_SECONDS)
    with pytest.raises(CertificateError, match="expired on"):
        await versions.load("v2")


async def test_background_listings(versions: CertificateVersions, store: ScriptedStore) -> None:
    """Turns start a listing every few minutes, one at a time, and do not wait for it."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.clock.advance(CHECK_INTERVAL_SECONDS - 1)
    versions.refresh_if_due()
    await settled()
    assert store.listings == 1
    store.open.clear()
    store.clock.advance(1)
    for _ in range(3):
        versions.refresh_if_due()
        await settled()
        store.clock.advance(CHECK_INTERVAL_SECONDS)
    assert store.listings == 2
    store.open.set()
    await settled()
    versions.refresh_if_due()
    await settled()
    assert store.listings == 3


async def test_an_early_listing_postpones_the_next(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """A listing for another reason postpones the next one in the background."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.clock.advance(CHECK_INTERVAL_SECONDS - 1)
    await versions.refresh()
    store.clock.advance(CHECK_INTERVAL_SECONDS - 1)
    versions.refresh_if_due()
    await settled()
    assert store.listings == 2


async def test_a_first_listing_that_fails(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """While no version is known, a failed listing raises."""
    store.failure = EndpointDown("the vault does not answer")
    with pytest.raises(EndpointDown, match="the vault does not answer"):
        await versions.refresh()
    store.failure = None
    await versions.refresh()
    assert versions.candidates() == ["v1"]


async def test_a_later_listing_that_fails(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """A failed listing is logged, and the known versions remain until the next one is due."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.failure = Throttled("the vault asks to wait", 1)
    await check(versions, store)
    assert versions.candidates() == ["v1"]
    assert "The certificate's versions cannot be listed (the vault asks to wait)" in logged.text
    store.clock.advance(CHECK_INTERVAL_SECONDS - 1)
    versions.refresh_if_due()
    await settled()
    assert store.listings == 2
    store.failure = None
    store.add("v2")
    store.clock.advance(1)
    versions.refresh_if_due()
    await settled()
    assert versions.candidates() == ["v2", "v1"]


@pytest.mark.parametrize(
    "failure", [None, VaultForbidden("no role to list"), CertificateError("no list")], ids=repr
)
async def test_no_list(
    failure: SignInError | None,
    versions: CertificateVersions,
    store: ScriptedStore,
    logged: pytest.LogCaptureFixture,
) -> None:
    """When only the current version can be loaded, it is tried first, then the one in use."""
    store.listable, store.failure = False, failure
    await versions.refresh()
    [first] = versions.candidates()
    assert first == store.certificates["v1"].thumbprint
    await sign_in(versions, first)
    await check(versions, store)
    assert versions.candidates() == [first]
    store.add("v2")
    await check(versions, store)
    second = store.certificates["v2"].thumbprint
    assert versions.candidates() == [second, first]
    assert await versions.load(second) is store.certificates["v2"]
    assert await versions.load(first) is store.certificates["v1"]
    assert store.loads == [None] * 3
    assert "versions cannot be listed" not in logged.text


@pytest.mark.parametrize("failure", [None, VaultForbidden("no role to list")], ids=repr)
async def test_neither_a_list_nor_a_certificate(
    failure: SignInError | None, versions: CertificateVersions, store: ScriptedStore
) -> None:
    """When the current version cannot be loaded either, that is the error."""
    store.listable, store.failure = False, failure
    store.unreadable[None] = VaultForbidden("no role to read")
    with pytest.raises(VaultForbidden, match="no role to read"):
        await versions.refresh()
    assert not versions.candidates()


async def test_no_list_and_a_lagging_registration(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Without a list, the version in use stays until a later one is accepted."""
    store.listable = False
    await versions.refresh()
    [first] = versions.candidates()
    await sign_in(versions, first)
    store.add("v2")
    await check(versions, store)
    second, _ = versions.candidates()
    await sign_in(versions, first, {second: CertificateUnknown("not yet")})
    await check(versions, store)
    assert versions.candidates() == [second, first]
    await sign_in(versions, second)
    await check(versions, store)
    assert versions.candidates() == [second]


@pytest.mark.parametrize("failure", [EndpointDown("it is down"), Throttled("it is down", 9)])
async def test_a_newer_version_that_cannot_be_loaded(
    failure: SignInError, versions: CertificateVersions, store: ScriptedStore
) -> None:
    """If a newer version cannot be loaded now, the one in use still signs in."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.add("v2")
    store.unreadable["v2"] = failure
    await versions.refresh()
    with pytest.raises(CertificateError, match="cannot be loaded now: it is down"):
        await versions.load("v2")
    assert await versions.load("v1")
    store.unreadable.clear()
    assert await versions.load("v2")


@pytest.mark.parametrize(
    "failure", [EndpointDown("down"), Throttled("busy", 9), VaultForbidden("no role")]
)
async def test_no_version_can_be_loaded(
    failure: SignInError, versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Without a version in use, an outage is raised unchanged."""
    await versions.refresh()
    store.unreadable["v1"] = failure
    with pytest.raises(type(failure)) as caught:
        await versions.load("v1")
    assert caught.value is failure
