"""ClientCertificateCredential: signs in with the newest version that Entra accepts."""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from auth.certificates.certificate import Certificate
from auth.certificates.key_vault import CertificateVault, ExportedCertificate, VaultSigning
from auth.certificates.versions import (
    CHECK_INTERVAL_SECONDS,
    POSTPONED_SECONDS,
    CertificateStore,
    CertificateVersions,
)
from auth.errors import CertificateError, CertificateUnknown, EndpointDown, SignInError, Throttled
from auth.outbound.client_certificate import ClientCertificateCredential
from auth.outbound.credential import AccessToken
from auth.outbound.entra import Assertion, EntraClient
from emulator.certificates import private_key_pem, self_signed, x5t_s256
from emulator.cloud import CERTIFICATE_NAME, Cloud
from emulator.entra.registration import issuer_of
from emulator.key_vault.certificate import VaultCertificate
from http_client.pool import HttpPool
from tests.support.timing.clock import Clock
from tests.support.timing.condition import comes_true

AUDIENCE = "https://api.botframework.com"
OTHER_AUDIENCE = "https://graph.microsoft.com"

DAY_SECONDS = 24 * 3600.0
"""Seconds."""

Make = Callable[..., ClientCertificateCredential]


@pytest.fixture
def clock(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The bot's and the registration's; it stands at the real time."""
    clock = Clock(time.time())
    monkeypatch.setattr(platform.registration, "clock", clock)
    return clock


@pytest.fixture(params=[ExportedCertificate, VaultSigning])
def store(
    request: pytest.FixtureRequest, platform: Cloud, vault: CertificateVault
) -> CertificateStore:
    """The platform's certificate, exported or not; its first version is registered."""
    platform.vault.permissions[platform.reader] = {
        "secrets/get",
        "secrets/list",
        "certificates/get",
        "certificates/list",
        "keys/sign",
    }
    made: CertificateStore = request.param(vault)
    return made


exported_only = pytest.mark.parametrize("store", [ExportedCertificate], indirect=True)
"""Where it makes no difference who signs."""


@pytest.fixture
def make(platform: Cloud, pool: HttpPool, store: CertificateStore, clock: Clock) -> Make:
    """Makes credentials of the platform's bot."""

    def make(
        tenant: str = platform.registration.tenant_id,
        pins: frozenset[str] = frozenset(),
        send_x5c: bool = False,
        entra: EntraClient | None = None,
    ) -> ClientCertificateCredential:
        app_id = platform.registration.app_id
        entra = entra or EntraClient(app_id, f"{platform.entra.server.url}/{tenant}", pool)
        versions = CertificateVersions(store, pins, clock)
        return ClientCertificateCredential(app_id, entra, versions, send_x5c=send_x5c)

    return make


@pytest.fixture
def credential(make: Make) -> ClientCertificateCredential:
    """The usual one."""
    return make()


@pytest.fixture
def assertions(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every assertion that Entra gets, in order."""
    seen: list[str] = []
    verify = platform.entra.assertions.verify

    def kept(assertion: str, *arguments: Any) -> None:
        seen.append(assertion)
        verify(assertion, *arguments)

    monkeypatch.setattr(platform.entra.assertions, "verify", kept)
    return seen


def newest(platform: Cloud) -> VaultCertificate:
    """The vault's current version."""
    return platform.vault.versions[CERTIFICATE_NAME][-1]


def thumbprint(made: VaultCertificate) -> str:
    """As the portal shows it."""
    return made.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # a name only


def signers(assertions: list[str]) -> list[str]:
    """The certificates that these name, as `x5t#S256`."""
    return [jwt.get_unverified_header(assertion)["x5t#S256"] for assertion in assertions]


def claims(platform: Cloud, token: str, tenant: str) -> Mapping[str, Any]:
    """What Entra signed."""
    return platform.entra.issuer.verify(token, AUDIENCE, issuer_of(tenant))


async def test_a_token(credential: ClientCertificateCredential, platform: Cloud) -> None:
    """The token is the app's, for the audience, and tells which certificate proved it."""
    before = time.time()
    token = await credential.request_token(AUDIENCE)
    used = newest(platform)
    assert token.thumbprint == thumbprint(used)
    assert token.certificate_expires_on == used.certificate.not_valid_after_utc.timestamp()
    found = claims(platform, token.value, platform.registration.tenant_id)
    assert found["appid"] == platform.registration.app_id
    assert before < token.expires_on <= found["exp"] + 1


async def test_x5c(make: Make, platform: Cloud, assertions: list[str]) -> None:
    """The certificate comes along in the assertion when that is asked for, and only then."""
    for send_x5c in (False, True):
        await make(send_x5c=send_x5c).request_token(AUDIENCE)
    without, sent = map(jwt.get_unverified_header, assertions)
    assert "x5c" not in without
    der = newest(platform).certificate.public_bytes(Encoding.DER)
    assert sent["x5c"] == [base64.b64encode(der).decode()]


async def test_what_a_token_costs(credential: ClientCertificateCredential, platform: Cloud) -> None:
    """The certificate is read once; each token is one request, and one signature where the vault
    signs."""
    await credential.request_token(AUDIENCE)
    vault, entra = platform.vault.operations.copy(), platform.entra.token_requests
    tokens = [await credential.request_token(AUDIENCE) for _ in range(3)]
    assert len({token.value for token in tokens}) == 3
    assert platform.entra.token_requests == entra + 3
    used = platform.vault.operations - vault
    assert used in ({}, {"keys/sign": 3})


async def test_two_audiences_at_once(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """Cold requests for two audiences share what they read of the vault."""
    before = platform.vault.operations.copy()
    tokens = await asyncio.gather(
        credential.request_token(AUDIENCE), credential.request_token(OTHER_AUDIENCE)
    )
    assert len({token.value for token in tokens}) == 2
    done = platform.vault.operations - before
    assert done["secrets/get"] + done["certificates/get"] == 1


async def test_rotation(
    credential: ClientCertificateCredential, platform: Cloud, clock: Clock, assertions: list[str]
) -> None:
    """The old version signs in until Entra takes the new one: no request fails on the way."""
    old = newest(platform)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    new = platform.renew_certificate(lag=600)
    looks = platform.vault.operations.total()
    clock.advance(CHECK_INTERVAL_SECONDS)
    credential.refresh_if_due()
    # The list, and the version that is new in it.
    await comes_true(lambda: platform.vault.operations.total() == looks + 2)
    assertions.clear()
    for _ in range(2):
        assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    assert signers(assertions) == [x5t_s256(new.certificate), x5t_s256(old.certificate)] * 2
    [warning] = credential.warnings
    assert thumbprint(new) in warning
    clock.advance(600)
    platform.registration.withdraw(old.certificate)
    assertions.clear()
    for _ in range(2):
        assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)
    assert signers(assertions) == [x5t_s256(new.certificate)] * 2
    assert list(credential.warnings) == []


async def test_a_refusal_is_remembered(
    credential: ClientCertificateCredential, platform: Cloud, clock: Clock, assertions: list[str]
) -> None:
    """When Entra has no time for both, the next sign-in begins with the one that was not tried."""
    old, new = newest(platform), platform.renew_certificate(registered=False)
    platform.entra.server.faults.set(status=503, path="token", every=2, remaining=1)
    with pytest.raises(EndpointDown):
        await credential.request_token(AUDIENCE)
    assert signers(assertions) == [x5t_s256(new.certificate)]
    for asked in ([old], [new, old], [new, old]):
        assertions.clear()
        assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
        assert signers(assertions) == [x5t_s256(one.certificate) for one in asked]
    platform.entra.server.faults.set(status=503, path="token", every=2, remaining=1)
    with pytest.raises(EndpointDown):
        await credential.request_token(AUDIENCE)
    clock.advance(POSTPONED_SECONDS)
    assertions.clear()
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    assert signers(assertions) == [x5t_s256(one.certificate) for one in (new, old)]


async def test_a_withdrawn_certificate(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """When the one in use is withdrawn, the vault is looked at at once, in the same request."""
    old = await credential.request_token(AUDIENCE)
    new = platform.renew_certificate()
    platform.registration.withdraw_old()
    token = await credential.request_token(AUDIENCE)
    assert token.thumbprint == thumbprint(new) != old.thumbprint


class SlowEntra(EntraClient):
    """Entra, whose answers for one audience take their time.

    Attributes:
        asked: set, when Entra has answered one.
        answers: set by a test, they arrive.
    """

    def __init__(self, client_id: str, authority: str, pool: HttpPool) -> None:
        super().__init__(client_id, authority, pool)
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()

    async def request_token(
        self, audience: str, assertion: Assertion, certificate: Certificate | None = None
    ) -> AccessToken:
        try:
            return await super().request_token(audience, assertion, certificate)
        finally:
            if audience == OTHER_AUDIENCE:
                self.asked.set()
                await self.answers.wait()


@pytest.fixture
def slow_entra(platform: Cloud, pool: HttpPool) -> SlowEntra:
    """The bot's registration, with answers that take their time."""
    authority = f"{platform.entra.server.url}/{platform.registration.tenant_id}"
    return SlowEntra(platform.registration.app_id, authority, pool)


async def test_a_look_of_another_request(
    make: Make, platform: Cloud, slow_entra: SlowEntra
) -> None:
    """A request whose refusal arrives when another has found the new version signs in with that."""
    credential = make(entra=slow_entra)
    await credential.request_token(AUDIENCE)
    new = platform.renew_certificate()
    platform.registration.withdraw_old()
    slow = asyncio.create_task(credential.request_token(OTHER_AUDIENCE))
    await slow_entra.asked.wait()
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)
    slow_entra.answers.set()
    assert (await slow).thumbprint == thumbprint(new)


@exported_only
@pytest.mark.parametrize("cold", [False, True])
async def test_an_answer_that_another_has_overtaken(
    cold: bool,
    make: Make,
    platform: Cloud,
    slow_entra: SlowEntra,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A late answer of one audience does not take the bot back to the old certificate."""
    caplog.set_level(logging.INFO, "auth")
    old, new = newest(platform), platform.renew_certificate(registered=False)
    credential = make(entra=slow_entra)
    if not cold:
        assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    slow = asyncio.create_task(credential.request_token(OTHER_AUDIENCE))
    await slow_entra.asked.wait()
    platform.registration.register(new.certificate)
    clock.advance(POSTPONED_SECONDS)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)
    caplog.clear()
    slow_entra.answers.set()
    assert (await slow).thumbprint == thumbprint(old)
    assert [record for record in caplog.records if record.name.startswith("auth")] == []
    assert credential.warnings == ()
    platform.registration.withdraw(old.certificate)
    assert (await credential.request_token(OTHER_AUDIENCE)).thumbprint == thumbprint(new)


@exported_only
async def test_a_damaged_key(
    credential: ClientCertificateCredential,
    platform: Cloud,
    key: rsa.RSAPrivateKey,
    damaged_key: rsa.RSAPrivateKey,
) -> None:
    """A newer version whose private key is damaged is passed over, and told of."""
    old = newest(platform)
    new = self_signed("bot", key)
    platform.vault.add_version(CERTIFICATE_NAME, key=damaged_key, certificate=new)
    platform.registration.register(new)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    [warning] = credential.warnings
    assert warning.startswith("A newer certificate cannot be used yet: the private key is damaged")


async def test_no_version_is_known(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """When Entra takes none, each is tried once, and the newest named; uploading it is enough."""
    new = platform.renew_certificate(registered=False)
    platform.registration.certificates.clear()
    before = platform.entra.token_requests
    with pytest.raises(CertificateUnknown, match="AADSTS700027") as caught:
        await credential.request_token(AUDIENCE)
    assert thumbprint(new) in str(caught.value)
    assert f"upload its public key to the app registration {platform.registration.app_id}" in str(
        caught.value
    )
    assert platform.entra.token_requests == before + 2
    platform.registration.register(new.certificate)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)


async def test_a_cold_start_in_front_of_a_new_version(
    credential: ClientCertificateCredential, platform: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """A bot that starts before Entra knows the newest version signs in with the one before it."""
    old, new = newest(platform), platform.renew_certificate(registered=False)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    told = [record.getMessage() for record in caplog.records if "be used yet" in record.message]
    assert len(told) == 1
    assert thumbprint(new) in told[0]


async def test_a_disabled_version(
    credential: ClientCertificateCredential, platform: Cloud, assertions: list[str]
) -> None:
    """A newer version that is disabled is not tried."""
    old = newest(platform)
    made = platform.vault.add_version(CERTIFICATE_NAME, enabled=False)
    platform.registration.register(made.certificate)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    assert signers(assertions) == [x5t_s256(old.certificate)]


@pytest.mark.parametrize("store", [VaultSigning], indirect=True)
async def test_the_version_in_use_is_disabled(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """When the vault no longer signs with the version in use, it is looked at at once."""
    await credential.request_token(AUDIENCE)
    versions = platform.vault.versions[CERTIFICATE_NAME]
    versions[-1] = replace(versions[-1], enabled=False)
    new = platform.renew_certificate()
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)


@pytest.mark.parametrize("store", [VaultSigning], indirect=True)
async def test_a_version_that_the_vault_does_not_sign_for(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """A newer version that is listed, but whose key may not be used, is passed over."""
    old, new = newest(platform), platform.renew_certificate()
    error = {"code": "Forbidden", "message": ".", "innererror": {"code": "KeyNotValidNow"}}
    platform.vault.server.faults.set(
        status=403, path=f"/{new.version}/sign", body=json.dumps({"error": error})
    )
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)


@exported_only
async def test_pins(make: Make, platform: Cloud, assertions: list[str]) -> None:
    """A version that is not pinned is passed over, and not shown to Entra."""
    old = newest(platform)
    platform.renew_certificate()
    credential = make(pins=frozenset({thumbprint(old), "A" * 40}))
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    assert signers(assertions) == [x5t_s256(old.certificate)]
    with pytest.raises(CertificateError, match="CertificateThumbprint allows only " + "B" * 40):
        await make(pins=frozenset({"B" * 40})).request_token(AUDIENCE)
    assert len(assertions) == 1


async def test_an_expired_one_in_hand(
    credential: ClientCertificateCredential, platform: Cloud, clock: Clock
) -> None:
    """A certificate that has run out since it was read is replaced in the same request."""
    platform.vault.versions[CERTIFICATE_NAME].clear()
    old = platform.vault.add_version(CERTIFICATE_NAME, ends_in_days=1)
    platform.registration.register(old.certificate)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    new = platform.renew_certificate()
    clock.advance(2 * DAY_SECONDS)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)


@exported_only
async def test_another_refusal(make: Make, platform: Cloud) -> None:
    """What Entra refuses for another reason than the certificate is told as it is, at once."""
    platform.renew_certificate()
    before = platform.entra.token_requests
    with pytest.raises(SignInError, match="AADSTS700016") as caught:
        await make(tenant="botframework.com").request_token(AUDIENCE)
    assert not isinstance(caught.value, CertificateError)
    assert platform.entra.token_requests == before + 1


@exported_only
@pytest.mark.parametrize(
    ("fault", "expected", "wait"),
    [
        ({"status": 500}, EndpointDown, 5),
        ({"status": 429, "retry_after": 7}, Throttled, 7),
    ],
    ids=str,
)
async def test_an_outage(
    fault: dict[str, Any],
    expected: type[SignInError],
    wait: int,
    credential: ClientCertificateCredential,
    platform: Cloud,
) -> None:
    """While Entra is down or busy, nothing is held against the certificate: it is kept."""
    used = await credential.request_token(AUDIENCE)
    before = platform.vault.operations.copy()
    platform.entra.server.faults.set(**fault)
    with pytest.raises(expected) as caught:
        await credential.request_token(AUDIENCE)
    assert caught.value.retry_after == wait
    platform.entra.server.faults.clear()
    assert (await credential.request_token(AUDIENCE)).thumbprint == used.thumbprint
    assert platform.vault.operations == before


async def test_nothing_secret_is_logged(
    credential: ClientCertificateCredential,
    platform: Cloud,
    assertions: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither a token, an assertion nor a key is in a log at any level, nor in the errors."""
    caplog.set_level(logging.DEBUG)
    token = await credential.request_token(AUDIENCE)
    made = platform.renew_certificate(registered=False)
    platform.registration.certificates.clear()
    with pytest.raises(CertificateUnknown) as caught:
        await credential.request_token(AUDIENCE)
    shown = f"{caplog.text} {caught.value} {token!r} {credential.warnings}"
    assert len(assertions) > 1
    private = private_key_pem(made.private_key).decode().splitlines()[1]
    assert not [secret for secret in (token.value, private, *assertions) if secret in shown]
