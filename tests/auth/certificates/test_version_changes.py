"""CertificateVersions: what changes with a sign-in, and what is logged of it."""

import asyncio
import datetime
import logging
from dataclasses import replace

import pytest

from auth.certificates.versions import CertificateVersions
from auth.errors import CertificateError, CertificateUnknown, Throttled, VaultForbidden
from tests.support.credentials.certificate_store import DAY_SECONDS, ScriptedStore, check, sign_in
from tests.support.timing.loop_turns import settled


async def test_an_outage_is_logged_once(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """Listings that fail for the same reason are logged once, until one succeeds."""
    await versions.refresh()
    await sign_in(versions, "v1")
    for _ in range(2):
        logged.clear()
        store.failure = Throttled("the vault asks to wait", 1)
        for _ in range(3):
            await check(versions, store)
        assert logged.text.count("The certificate's versions cannot be listed") == 1
        store.failure = None
        await check(versions, store)


async def test_a_crash_in_the_background(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """A crash while listing is logged with its traceback, and does not stop later listings."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.failure = RuntimeError("a fault of ours")
    await check(versions, store)
    [record] = [record for record in logged.records if record.levelno == logging.ERROR]
    assert record.exc_info
    assert record.exc_info[1] is store.failure
    store.failure = None
    store.add("v2")
    await check(versions, store)
    assert versions.candidates() == ["v2", "v1"]


def seen(logged: pytest.LogCaptureFixture) -> list[str]:
    """The messages since the last call."""
    messages = [record.getMessage() for record in logged.records]
    logged.clear()
    return messages


async def test_changes_are_logged_once(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """Each change is logged when it comes, with thumbprints and dates, and never again."""
    await versions.refresh()
    await sign_in(versions, "v1")
    old = store.certificates["v1"]
    assert seen(logged) == [f"Signs in with the certificate {old}"]

    store.add("v2", ends_in_days=200)
    new = store.certificates["v2"]
    store.open.clear()
    listings = asyncio.gather(versions.refresh(), versions.refresh())
    await settled()
    store.open.set()
    await listings
    for _ in range(2):
        await check(versions, store)
    [met] = seen(logged)
    assert f"newer certificate, {new}; {old} signs in until Entra accepts it" in met

    for _ in range(2):
        await sign_in(versions, "v1", {"v2": CertificateUnknown("AADSTS700027")})
        await check(versions, store)
    assert seen(logged) == ["A newer certificate cannot be used yet: AADSTS700027"]
    assert list(versions.warnings) == ["A newer certificate cannot be used yet: AADSTS700027"]

    for _ in range(2):
        await sign_in(versions, "v2")
        await check(versions, store)
    assert seen(logged) == [f"Signs in with the certificate {new}; the previous one was {old}"]
    assert list(versions.warnings) == []


async def test_the_same_certificate_by_another_name(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """Granting or revoking the right to list does not make the same certificate a newer one."""
    for listable in (False, True, False):
        store.listable = listable
        await versions.refresh()
        newest = versions.candidates()[0]
        await sign_in(versions, newest)
        await check(versions, store)
    assert seen(logged) == [f"Signs in with the certificate {store.certificates['v1']}"]


async def test_another_reason_is_logged(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """A newer version that cannot be used for another reason than before is logged again."""
    store.add("v2")
    await versions.refresh()
    await sign_in(versions, "v1", {"v2": VaultForbidden("no role")})
    logged.clear()
    await sign_in(versions, "v1", {"v2": CertificateUnknown("not yet")})
    await sign_in(versions, "v1", {"v2": CertificateUnknown("not yet, as before")})
    assert seen(logged) == ["A newer certificate cannot be used yet: not yet"]
    [warning] = versions.warnings
    assert warning == "A newer certificate cannot be used yet: not yet, as before"


@pytest.mark.parametrize("former", ["", "v1"])
async def test_a_sign_in_that_is_overtaken(
    former: str,
    versions: CertificateVersions,
    store: ScriptedStore,
    logged: pytest.LogCaptureFixture,
) -> None:
    """When another audience's sign-in has gone further meanwhile, a late one changes nothing."""
    store.add("v2")
    await versions.refresh()
    if former:
        await sign_in(versions, former)
    began_with, old = versions.in_use, await versions.load("v1")
    await sign_in(versions, "v2")
    logged.clear()
    versions.accept("v1", old, {"v2": CertificateUnknown("not yet")}, began_with)
    assert versions.in_use is store.certificates["v2"]
    assert list(versions.warnings) == []
    assert seen(logged) == []
    await sign_in(versions, "v2")
    assert seen(logged) == []


async def test_a_listing_in_the_middle_of_a_sign_in(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """A certificate that was loaded again during a sign-in is still the same one."""
    store.listable = False
    await versions.refresh()
    [only] = versions.candidates()
    await sign_in(versions, only)
    began_with = versions.in_use
    assert began_with
    store.certificates["v1"] = replace(began_with)
    await check(versions, store)
    assert versions.in_use is not began_with
    versions.accept(only, began_with, {}, began_with)
    assert versions.in_use is began_with


async def test_a_newer_version_that_is_met_unreadable(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """A newer version that cannot be loaded is logged with the reason."""
    await versions.refresh()
    await sign_in(versions, "v1")
    logged.clear()
    store.add("v2")
    store.unreadable["v2"] = CertificateError("the key cannot be exported")
    for _ in range(2):
        await check(versions, store)
    assert seen(logged) == [
        "There is a newer certificate, but it cannot be read: the key cannot be exported"
    ]


async def test_older_keys_are_forgotten(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Once a new version signs in for good, older private keys are not in memory any more."""
    store.add("v2")
    store.add("v3")
    await versions.refresh()
    await sign_in(versions, "v1", {"v2": CertificateUnknown(""), "v3": CertificateUnknown("")})
    await versions.load("v2")
    await versions.load("v3")
    store.loads.clear()
    for _ in range(2):
        await sign_in(versions, "v2", {"v3": CertificateUnknown("")})
    await versions.load("v2")
    await versions.load("v3")
    assert store.loads == []
    await versions.load("v1")
    assert store.loads == ["v1"]


async def test_a_renewed_certificate_is_not_warned_of(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """The warning comes with the sign-in at once, and goes with the next certificate."""
    store.add("v1", ends_in_days=10.5)
    await versions.refresh()
    await sign_in(versions, "v1")
    assert "expires soon (days left: 10)" in logged.text
    assert len(versions.warnings) == 1
    store.add("v2")
    await versions.refresh()
    await sign_in(versions, "v1", {"v2": CertificateUnknown("AADSTS700027")})
    expiry, newer = list(versions.warnings)
    assert expiry.startswith(f"The certificate {store.certificates['v1']} expires soon (days left")
    assert newer == "A newer certificate cannot be used yet: AADSTS700027"
    await sign_in(versions, "v2")
    assert list(versions.warnings) == []


async def test_an_expiry_is_logged_daily(
    versions: CertificateVersions, store: ScriptedStore, logged: pytest.LogCaptureFixture
) -> None:
    """Listings in the background warn of an expiry once a day, even if they fail."""
    store.add("v1", ends_in_days=30 + 0.5)
    await versions.refresh()
    await sign_in(versions, "v1")
    assert "expires soon" not in logged.text
    store.failure = RuntimeError("a fault of ours")
    for day in (29, 28):
        store.clock.advance(DAY_SECONDS)
        for _ in range(3):
            await check(versions, store)
        warned = [text for text in seen(logged) if "expires soon" in text]
        assert len(warned) == 1
        assert f"days left: {day})" in warned[0]


async def test_the_clock_is_the_real_one(store: ScriptedStore) -> None:
    """Without a clock of the test's, dates are compared with the real time."""
    store.add("v2", ends_in_days=-0.5)
    with pytest.raises(CertificateError, match="expired on"):
        await CertificateVersions(store).load("v2")
    now = datetime.datetime.now(datetime.UTC)
    assert (await CertificateVersions(store).load("v1")).public.not_valid_after_utc > now
