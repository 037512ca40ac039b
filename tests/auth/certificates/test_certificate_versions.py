"""CertificateVersions: what is tried, looked for in the background, told of and forgotten."""

import asyncio
import datetime
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate
from auth.certificates.private_key import LocalKey
from auth.certificates.versions import CHECK_INTERVAL_SECONDS, MAX_CANDIDATES, CertificateVersions
from auth.errors import (
    CertificateError,
    CertificateUnknown,
    EndpointDown,
    SignInError,
    Throttled,
    VaultForbidden,
)
from emulator.certificates import self_signed
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled

DAY_SECONDS = 24 * 3600.0
"""Seconds."""


class ScriptedStore:
    """Keeps certificates in memory.

    Attributes:
        certificates: by version, the newest last.
        listable: False: the list of the versions is empty.
        failure: raised in place of a list.
        unreadable: raised in place of a version's certificate.
        looks: how often the versions were asked for.
        loads: the versions that were read, in order; None for the current one.
        open: cleared, nothing is answered.
    """

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.certificates: dict[str, Certificate] = {}
        self.listable = True
        self.failure: Exception | None = None
        self.unreadable: dict[str | None, Exception] = {}
        self.looks = 0
        self.loads: list[str | None] = []
        self.open = asyncio.Event()
        self.open.set()
        self._key = key

    def add(self, version: str, *, starts_in_days: float = -1, ends_in_days: float = 365) -> None:
        """Make a new version, which is the current one from now on."""
        public = self_signed(
            "bot", self._key, starts_in_days=starts_in_days, ends_in_days=ends_in_days
        )
        self.certificates[version] = Certificate(public, LocalKey(self._key))

    async def versions(self) -> Sequence[str]:
        """As the protocol demands."""
        self.looks += 1
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return list(reversed(self.certificates)) if self.listable else []

    async def load(self, version: str | None) -> Certificate:
        """As the protocol demands."""
        self.loads.append(version)
        await self.open.wait()
        if version in self.unreadable:
            raise self.unreadable[version]
        return self.certificates[version or list(self.certificates)[-1]]


@pytest.fixture
def clock() -> Clock:
    """Stands at the real time, by which certificates are made."""
    return Clock(time.time())


@pytest.fixture
def store(key: rsa.RSAPrivateKey) -> ScriptedStore:
    """Has one version."""
    store = ScriptedStore(key)
    store.add("v1")
    return store


@pytest.fixture
def versions(store: ScriptedStore, clock: Clock) -> CertificateVersions:
    """Of that store, with no pins."""
    return CertificateVersions(store, clock=clock)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged."""
    caplog.set_level(logging.INFO)
    return caplog


async def sign_in(
    versions: CertificateVersions, version: str, passed_over: dict[str, SignInError] | None = None
) -> None:
    """Entra accepts a version."""
    before = versions.in_use
    versions.accept(version, await versions.load(version), passed_over or {}, before)


async def check(versions: CertificateVersions, clock: Clock) -> None:
    """A turn comes when the next look at the store is due, and the look ends."""
    clock.advance(CHECK_INTERVAL_SECONDS)
    versions.refresh_if_due()
    await settled()


async def test_nothing_is_known_at_first(
    versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Before the first look there is nothing to try; turns alone do not start one."""
    assert not versions.candidates()
    versions.refresh_if_due()
    await settled()
    assert store.looks == 0
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


async def test_a_version_that_is_taken_away(
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


async def test_pins(store: ScriptedStore, clock: Clock) -> None:
    """With pins, a version that is not among them is refused with its thumbprint."""
    store.add("v2")
    pin, other = (store.certificates[name].thumbprint for name in ("v1", "v2"))
    versions = CertificateVersions(store, frozenset({pin}), clock)
    assert (await versions.load("v1")).thumbprint == pin
    with pytest.raises(CertificateError, match=f"{other}, but CertificateThumbprint.*{pin}"):
        await versions.load("v2")


async def test_dates(versions: CertificateVersions, store: ScriptedStore, clock: Clock) -> None:
    """A version is refused before its first day and after its last, at the time of each sign-in."""
    store.add("v2", starts_in_days=1, ends_in_days=3)
    with pytest.raises(CertificateError, match="not valid before"):
        await versions.load("v2")
    clock.advance(2 * DAY_SECONDS)
    assert await versions.load("v2")
    clock.advance(2 * DAY_SECONDS)
    with pytest.raises(CertificateError, match="expired on"):
        await versions.load("v2")


async def test_background_looks(
    versions: CertificateVersions, store: ScriptedStore, clock: Clock
) -> None:
    """Turns start a look every few minutes, one at a time, and do not wait for it."""
    await versions.refresh()
    await sign_in(versions, "v1")
    clock.advance(CHECK_INTERVAL_SECONDS - 1)
    versions.refresh_if_due()
    await settled()
    assert store.looks == 1
    store.open.clear()
    clock.advance(1)
    for _ in range(3):
        versions.refresh_if_due()
        await settled()
        clock.advance(CHECK_INTERVAL_SECONDS)
    assert store.looks == 2
    store.open.set()
    await settled()
    versions.refresh_if_due()
    await settled()
    assert store.looks == 3


async def test_a_look_at_once_postpones_the_next(
    versions: CertificateVersions, store: ScriptedStore, clock: Clock
) -> None:
    """After a look for another reason, the next one in the background is as far away as ever."""
    await versions.refresh()
    await sign_in(versions, "v1")
    clock.advance(CHECK_INTERVAL_SECONDS - 1)
    await versions.refresh()
    clock.advance(CHECK_INTERVAL_SECONDS - 1)
    versions.refresh_if_due()
    await settled()
    assert store.looks == 2


async def test_the_first_look_fails(versions: CertificateVersions, store: ScriptedStore) -> None:
    """While nothing is known, a look that fails says why."""
    store.failure = EndpointDown("the vault does not answer")
    with pytest.raises(EndpointDown, match="the vault does not answer"):
        await versions.refresh()
    store.failure = None
    await versions.refresh()
    assert versions.candidates() == ["v1"]


async def test_a_later_look_fails(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """A look that fails keeps what is known, is logged, and is not repeated before its time."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.failure = Throttled("the vault asks to wait", 1)
    await check(versions, clock)
    assert versions.candidates() == ["v1"]
    assert "The certificate's versions cannot be listed (the vault asks to wait)" in told.text
    clock.advance(CHECK_INTERVAL_SECONDS - 1)
    versions.refresh_if_due()
    await settled()
    assert store.looks == 2
    store.failure = None
    store.add("v2")
    clock.advance(1)
    versions.refresh_if_due()
    await settled()
    assert versions.candidates() == ["v2", "v1"]


async def test_an_outage_is_told_once(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """Looks that fail for the same reason are told once, until one has worked."""
    await versions.refresh()
    await sign_in(versions, "v1")
    for _ in range(2):
        told.clear()
        store.failure = Throttled("the vault asks to wait", 1)
        for _ in range(3):
            await check(versions, clock)
        assert told.text.count("The certificate's versions cannot be listed") == 1
        store.failure = None
        await check(versions, clock)


async def test_a_crash_in_the_background(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """A look that breaks is logged with its trace, and does not stop later ones."""
    await versions.refresh()
    await sign_in(versions, "v1")
    store.failure = RuntimeError("a fault of ours")
    await check(versions, clock)
    [record] = [record for record in told.records if record.levelno == logging.ERROR]
    assert record.exc_info
    assert record.exc_info[1] is store.failure
    store.failure = None
    store.add("v2")
    await check(versions, clock)
    assert versions.candidates() == ["v2", "v1"]


@pytest.mark.parametrize(
    "failure", [None, VaultForbidden("no role to list"), CertificateError("no list")], ids=repr
)
async def test_no_list(
    failure: SignInError | None,
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """Where only the current version can be had, a new one is tried, and then the one in use."""
    store.listable, store.failure = False, failure
    await versions.refresh()
    [first] = versions.candidates()
    assert first == store.certificates["v1"].thumbprint
    await sign_in(versions, first)
    await check(versions, clock)
    assert versions.candidates() == [first]
    store.add("v2")
    await check(versions, clock)
    second = store.certificates["v2"].thumbprint
    assert versions.candidates() == [second, first]
    assert await versions.load(second) is store.certificates["v2"]
    assert await versions.load(first) is store.certificates["v1"]
    assert store.loads == [None] * 3
    assert "versions cannot be listed" not in told.text


@pytest.mark.parametrize("failure", [None, VaultForbidden("no role to list")], ids=repr)
async def test_neither_a_list_nor_a_certificate(
    failure: SignInError | None, versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Where the current version cannot be had either, that is the reason which is told."""
    store.listable, store.failure = False, failure
    store.unreadable[None] = VaultForbidden("no role to read")
    with pytest.raises(VaultForbidden, match="no role to read"):
        await versions.refresh()
    assert not versions.candidates()


async def test_no_list_and_a_lagging_registration(
    versions: CertificateVersions, store: ScriptedStore, clock: Clock
) -> None:
    """There too, the one in use stays until a later one is accepted."""
    store.listable = False
    await versions.refresh()
    [first] = versions.candidates()
    await sign_in(versions, first)
    store.add("v2")
    await check(versions, clock)
    second, _ = versions.candidates()
    await sign_in(versions, first, {second: CertificateUnknown("not yet")})
    await check(versions, clock)
    assert versions.candidates() == [second, first]
    await sign_in(versions, second)
    await check(versions, clock)
    assert versions.candidates() == [second]


@pytest.mark.parametrize("failure", [EndpointDown("it is down"), Throttled("it is down", 9)])
async def test_a_newer_version_cannot_be_had(
    failure: SignInError, versions: CertificateVersions, store: ScriptedStore
) -> None:
    """An outage in front of a newer version is no reason against the one in use."""
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
async def test_no_version_can_be_had(
    failure: SignInError, versions: CertificateVersions, store: ScriptedStore
) -> None:
    """Without one in use, the outage is told as it is."""
    await versions.refresh()
    store.unreadable["v1"] = failure
    with pytest.raises(type(failure)) as caught:
        await versions.load("v1")
    assert caught.value is failure


def seen(told: pytest.LogCaptureFixture) -> list[str]:
    """The messages since the last call."""
    messages = [record.getMessage() for record in told.records]
    told.clear()
    return messages


async def test_changes_are_told_once(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """Each change is logged when it comes, with thumbprints and dates, and never again."""
    await versions.refresh()
    await sign_in(versions, "v1")
    old = store.certificates["v1"]
    assert seen(told) == [f"Signs in with the certificate {old}"]

    store.add("v2", ends_in_days=200)
    new = store.certificates["v2"]
    store.open.clear()
    looks = asyncio.gather(versions.refresh(), versions.refresh())
    await settled()
    store.open.set()
    await looks
    for _ in range(2):
        await check(versions, clock)
    [met] = seen(told)
    assert f"newer certificate, {new}; {old} signs in until Entra accepts it" in met

    for _ in range(2):
        await sign_in(versions, "v1", {"v2": CertificateUnknown("AADSTS700027")})
        await check(versions, clock)
    assert seen(told) == ["A newer certificate cannot be used yet: AADSTS700027"]
    assert list(versions.warnings) == ["A newer certificate cannot be used yet: AADSTS700027"]

    for _ in range(2):
        await sign_in(versions, "v2")
        await check(versions, clock)
    assert seen(told) == [f"Signs in with the certificate {new}; before it was {old}"]
    assert list(versions.warnings) == []


async def test_the_same_certificate_by_another_name(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """When the right to list comes late, or goes, it is the same certificate: nothing is told."""
    for listable in (False, True, False):
        store.listable = listable
        await versions.refresh()
        newest = versions.candidates()[0]
        await sign_in(versions, newest)
        await check(versions, clock)
    assert seen(told) == [f"Signs in with the certificate {store.certificates['v1']}"]


async def test_another_reason_is_told(
    versions: CertificateVersions, store: ScriptedStore, told: pytest.LogCaptureFixture
) -> None:
    """A newer version that is passed over for another reason than before is logged again."""
    store.add("v2")
    await versions.refresh()
    await sign_in(versions, "v1", {"v2": VaultForbidden("no role")})
    told.clear()
    await sign_in(versions, "v1", {"v2": CertificateUnknown("not yet")})
    await sign_in(versions, "v1", {"v2": CertificateUnknown("not yet, as before")})
    assert seen(told) == ["A newer certificate cannot be used yet: not yet"]
    [warning] = versions.warnings
    assert warning == "A newer certificate cannot be used yet: not yet, as before"


@pytest.mark.parametrize("former", ["", "v1"])
async def test_a_sign_in_that_is_overtaken(
    former: str,
    versions: CertificateVersions,
    store: ScriptedStore,
    told: pytest.LogCaptureFixture,
) -> None:
    """When another audience's sign-in has gone further meanwhile, a late one changes nothing."""
    store.add("v2")
    await versions.refresh()
    if former:
        await sign_in(versions, former)
    began_with, old = versions.in_use, await versions.load("v1")
    await sign_in(versions, "v2")
    told.clear()
    versions.accept("v1", old, {"v2": CertificateUnknown("not yet")}, began_with)
    assert versions.in_use is store.certificates["v2"]
    assert list(versions.warnings) == []
    assert seen(told) == []
    await sign_in(versions, "v2")
    assert seen(told) == []


async def test_a_look_in_the_middle_of_a_sign_in(
    versions: CertificateVersions, store: ScriptedStore, clock: Clock
) -> None:
    """The same certificate, read anew meanwhile, is no other: the sign-in counts."""
    store.listable = False
    await versions.refresh()
    [only] = versions.candidates()
    await sign_in(versions, only)
    began_with = versions.in_use
    assert began_with
    store.certificates["v1"] = replace(began_with)
    await check(versions, clock)
    assert versions.in_use is not began_with
    versions.accept(only, began_with, {}, began_with)
    assert versions.in_use is began_with


async def test_a_newer_version_that_is_met_unreadable(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """A newer version that cannot be read when it is met is told with the reason."""
    await versions.refresh()
    await sign_in(versions, "v1")
    told.clear()
    store.add("v2")
    store.unreadable["v2"] = CertificateError("the key cannot be exported")
    for _ in range(2):
        await check(versions, clock)
    assert seen(told) == ["There is a newer certificate, but: the key cannot be exported"]


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
    versions: CertificateVersions, store: ScriptedStore, told: pytest.LogCaptureFixture
) -> None:
    """The warning comes with the sign-in at once, and goes with the next certificate."""
    store.add("v1", ends_in_days=10.5)
    await versions.refresh()
    await sign_in(versions, "v1")
    assert "expires soon (days left: 10)" in told.text
    assert len(versions.warnings) == 1
    store.add("v2")
    await versions.refresh()
    await sign_in(versions, "v1", {"v2": CertificateUnknown("AADSTS700027")})
    expiry, newer = list(versions.warnings)
    assert expiry.startswith(f"The certificate {store.certificates['v1']} expires soon (days left")
    assert newer == "A newer certificate cannot be used yet: AADSTS700027"
    await sign_in(versions, "v2")
    assert list(versions.warnings) == []


async def test_an_expiry_is_told_daily(
    versions: CertificateVersions,
    store: ScriptedStore,
    clock: Clock,
    told: pytest.LogCaptureFixture,
) -> None:
    """Looks in the background warn of an expiry too, once a day, though they fail."""
    store.add("v1", ends_in_days=30 + 0.5)
    await versions.refresh()
    await sign_in(versions, "v1")
    assert "expires soon" not in told.text
    store.failure = RuntimeError("a fault of ours")
    for day in (29, 28):
        clock.advance(DAY_SECONDS)
        for _ in range(3):
            await check(versions, clock)
        warned = [text for text in seen(told) if "expires soon" in text]
        assert len(warned) == 1
        assert f"days left: {day})" in warned[0]


async def test_the_clock_is_the_real_one(store: ScriptedStore) -> None:
    """Without a clock of a test's, dates are held against the time of day."""
    store.add("v2", ends_in_days=-0.5)
    with pytest.raises(CertificateError, match="expired on"):
        await CertificateVersions(store).load("v2")
    now = datetime.datetime.now(datetime.UTC)
    assert (await CertificateVersions(store).load("v1")).public.not_valid_after_utc > now
