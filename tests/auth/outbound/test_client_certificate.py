"""ClientCertificateCredential: signs in with the newest version that Entra accepts."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest

from auth.certificates.certificate import Certificate
from auth.certificates.key_vault import CertificateVault, ExportedCertificate, VaultSigning
from auth.certificates.versions import (
    CHECK_INTERVAL_SECONDS,
    POSTPONED_SECONDS,
    CertificateStore,
    CertificateVersions,
)
from auth.credential_kinds import CERTIFICATE, SIGN_IN_VAULT
from auth.errors import CertificateError, CertificateUnknown, EndpointDown, SignInError, Throttled
from auth.outbound.client_certificate import ClientCertificateCredential
from auth.outbound.entra import Assertion, EntraClient
from auth.outbound.token_provider import AccessToken
from bot_workbench.emulator.certificates import private_key_pem, x5t_s256
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, READER_PERMISSIONS, Cloud
from bot_workbench.emulator.entra.registration import issuer_of
from http_client.pool import HttpPool
from tests.support.credentials.bot_certificate import newest, thumbprint
from tests.support.credentials.sign_in import AUDIENCE, OTHER_AUDIENCE
from tests.support.timing.clock import Clock
from tests.support.timing.condition import comes_true

Make = Callable[..., ClientCertificateCredential]


@pytest.fixture
def clock(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The bot's and the registration's clock; it stands at the real time."""
    clock = Clock(time.time())
    monkeypatch.setattr(platform.registration, "clock", clock)
    return clock


@pytest.fixture(params=[ExportedCertificate, VaultSigning])
def store(
    request: pytest.FixtureRequest, platform: Cloud, vault: CertificateVault
) -> CertificateStore:
    """The platform's certificate, exported or not; its first version is registered."""
    permissions = READER_PERMISSIONS[CERTIFICATE] | READER_PERMISSIONS[SIGN_IN_VAULT]
    platform.vault_permissions[platform.reader] = set(permissions)
    made: CertificateStore = request.param(vault)
    return made


exported_only = pytest.mark.parametrize("store", [ExportedCertificate], indirect=True)
"""For tests where it makes no difference who signs."""


@pytest.fixture
def make(platform: Cloud, pool: HttpPool, store: CertificateStore, clock: Clock) -> Make:
    """Makes credentials of the platform's bot."""

    def make(
        tenant: str = platform.registration.tenant_id,
        pins: frozenset[str] = frozenset(),
        entra: EntraClient | None = None,
    ) -> ClientCertificateCredential:
        app_id = platform.registration.app_id
        entra = entra or EntraClient(app_id, f"{platform.entra.server.url}/{tenant}", pool)
        versions = CertificateVersions(store, pins, clock)
        return ClientCertificateCredential(app_id, entra, versions, send_x5c=False)

    return make


@pytest.fixture
def credential(make: Make) -> ClientCertificateCredential:
    """A credential of the platform's bot."""
    return make()


@pytest.fixture
def assertions(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every assertion that Entra receives, in order."""
    seen: list[str] = []
    verify = platform.entra.assertions.verify

    def recorded(assertion: str, *arguments: Any) -> Any:
        seen.append(assertion)
        return verify(assertion, *arguments)

    monkeypatch.setattr(platform.entra.assertions, "verify", recorded)
    return seen


def signers(assertions: list[str]) -> list[str]:
    """The certificates that these name, as `x5t#S256`."""
    return [jwt.get_unverified_header(assertion)["x5t#S256"] for assertion in assertions]


async def test_a_token(credential: ClientCertificateCredential, platform: Cloud) -> None:
    """The token is the app's, for the audience, and says which certificate signed in."""
    before = time.time()
    token = await credential.request_token(AUDIENCE)
    used = newest(platform)
    assert token.thumbprint == thumbprint(used)
    assert token.certificate_expires_on == used.certificate.not_valid_after_utc.timestamp()
    issuer = issuer_of(platform.registration.tenant_id)
    found = platform.entra.issuer.verify(token.value, AUDIENCE, issuer)
    assert found["appid"] == platform.registration.app_id
    assert before < token.expires_on <= found["exp"] + 1


async def test_what_a_token_costs(credential: ClientCertificateCredential, platform: Cloud) -> None:
    """The certificate is read once; each token is one request, and one signature by its key."""
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
    """Concurrent requests for two audiences read the certificate once."""
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
    """The old version signs in until Entra accepts the new one; no request fails meanwhile."""
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
    """After a sign-in that tried one version and failed, the next begins with the other one."""
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
    """When the certificate in use is withdrawn, the same request finds the new one."""
    old = await credential.request_token(AUDIENCE)
    new = platform.renew_certificate()
    platform.registration.withdraw_old()
    token = await credential.request_token(AUDIENCE)
    assert token.thumbprint == thumbprint(new) != old.thumbprint


class SlowEntra(EntraClient):
    """Entra, whose responses for one audience are delayed.

    Attributes:
        asked: set when Entra has responded.
        answers: set by a test to deliver the response.
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
    """The bot's registration, with delayed responses."""
    authority = f"{platform.entra.server.url}/{platform.registration.tenant_id}"
    return SlowEntra(platform.registration.app_id, authority, pool)


async def test_a_concurrent_refresh(make: Make, platform: Cloud, slow_entra: SlowEntra) -> None:
    """A request that is refused after a concurrent one found a new version uses that version."""
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
async def test_an_overtaken_response(
    cold: bool,
    make: Make,
    platform: Cloud,
    slow_entra: SlowEntra,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A late response for one audience does not bring the old certificate back."""
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


async def test_no_version_is_known(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """When Entra accepts none, each is tried once and the newest is named in the error."""
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


@pytest.mark.parametrize("store", [VaultSigning], indirect=True)
async def test_the_version_in_use_is_disabled(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """When the vault refuses to sign with the version in use, the same request finds a new one."""
    await credential.request_token(AUDIENCE)
    versions = platform.vault.inventory.versions[CERTIFICATE_NAME]
    versions[-1] = replace(versions[-1], enabled=False)
    new = platform.renew_certificate()
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)


@pytest.mark.parametrize("store", [VaultSigning], indirect=True)
async def test_a_version_that_the_vault_does_not_sign_for(
    credential: ClientCertificateCredential, platform: Cloud
) -> None:
    """When the vault refuses to sign with a newer version, an older one signs in."""
    old, new = newest(platform), platform.renew_certificate()
    error = {"code": "Forbidden", "message": ".", "innererror": {"code": "KeyNotValidNow"}}
    platform.vault.server.faults.set(
        status=403, path=f"/{new.version}/sign", body=json.dumps({"error": error})
    )
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)


@exported_only
async def test_allowed_thumbprints(make: Make, platform: Cloud, assertions: list[str]) -> None:
    """A version whose thumbprint is not allowed is not used to sign in."""
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
    """A certificate that has expired since it was loaded is replaced in the same request."""
    platform.vault.inventory.versions[CERTIFICATE_NAME].clear()
    old = platform.vault.inventory.add_version(CERTIFICATE_NAME, ends_in_days=1)
    platform.registration.register(old.certificate)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(old)
    new = platform.renew_certificate()
    clock.advance(2 * 24 * 3600)
    assert (await credential.request_token(AUDIENCE)).thumbprint == thumbprint(new)


@exported_only
async def test_another_refusal(make: Make, platform: Cloud) -> None:
    """When Entra refuses for another reason, no other version is tried."""
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
    """During an outage of Entra, the certificate stays in use and is not loaded again."""
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
