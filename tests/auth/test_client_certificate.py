"""ClientCertificate: signs in at Entra by assertion, and says what to fix when it cannot."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificate import Certificate
from auth.client_certificate import ClientCertificate
from auth.errors import CertificateError, SignInError
from emulator.certificates import self_signed
from emulator.cloud import Cloud
from emulator.entra import issuer_of
from emulator.registration import CHANNEL_TENANT
from tests.support.clock import Clock

AUDIENCE = "https://api.botframework.com"
UNKNOWN = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"


class Store:
    """Where the certificate is kept.

    Attributes:
        certificate: the current one.
        loads: how often it was read.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.loads = 0

    async def load(self) -> Certificate:
        """Read it."""
        self.loads += 1
        return self.certificate


@pytest.fixture
def store(key: rsa.RSAPrivateKey, public: x509.Certificate, platform: Cloud) -> Store:
    """A certificate that the registration knows."""
    platform.registration.certificates.append(public)
    return Store(Certificate(public, key))


@pytest.fixture
def authority(platform: Cloud) -> str:
    """URL of the bot's home tenant."""
    return f"{platform.entra.server.url}/{platform.registration.tenant_id}"


@pytest.fixture
def credential(platform: Cloud, authority: str, store: Store) -> ClientCertificate:
    """That of the platform's bot."""
    return ClientCertificate(platform.registration.app_id, authority, store.load)


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


def claims(platform: Cloud, token: str, tenant: str) -> Mapping[str, Any]:
    """What Entra signed."""
    return platform.entra.issuer.verify(token, AUDIENCE, issuer_of(tenant))


async def test_a_token(credential: ClientCertificate, platform: Cloud, store: Store) -> None:
    """The token is the app's, for the audience, and tells which certificate proved it."""
    before = time.time()
    token = await credential.request_token(AUDIENCE)
    assert token.thumbprint == store.certificate.thumbprint
    found = claims(platform, token.value, platform.registration.tenant_id)
    assert found["appid"] == platform.registration.app_id
    assert before < token.expires_on <= found["exp"] + 1


async def test_a_multi_tenant_bot(platform: Cloud, store: Store) -> None:
    """A MultiTenant bot's token is of the channel's tenant."""
    platform.registration.app_type = "MultiTenant"
    authority = f"{platform.entra.server.url}/botframework.com"
    credential = ClientCertificate(platform.registration.app_id, authority, store.load)
    token = await credential.request_token(AUDIENCE)
    assert claims(platform, token.value, CHANNEL_TENANT)["tid"] == CHANNEL_TENANT


async def test_assertions(
    credential: ClientCertificate, authority: str, assertions: list[str]
) -> None:
    """Each request has an assertion of its own, for the token endpoint, without the certificate."""
    for _ in range(3):
        await credential.request_token(AUDIENCE)
    contents = [jwt.decode(each, options={"verify_signature": False}) for each in assertions]
    assert len({content["jti"] for content in contents}) == 3
    assert {content["aud"] for content in contents} == {f"{authority}/oauth2/v2.0/token"}
    for each in assertions:
        assert jwt.get_unverified_header(each).keys() == {"alg", "typ", "x5t#S256"}


async def test_x5c(platform: Cloud, authority: str, store: Store, assertions: list[str]) -> None:
    """Asked for, the certificate comes along."""
    app_id = platform.registration.app_id
    await ClientCertificate(app_id, authority, store.load, send_x5c=True).request_token(AUDIENCE)
    assert jwt.get_unverified_header(assertions[0])["x5c"] == [store.certificate.x5c]


async def test_each_request_is_made(credential: ClientCertificate, platform: Cloud) -> None:
    """Each call asks Entra: no library's cache answers a renewal with the old token."""
    first, second = [await credential.request_token(AUDIENCE) for _ in range(2)]
    assert first.value != second.value
    issued = platform.entra.tokens_issued
    await credential.request_token("https://vault.azure.net")
    assert platform.entra.tokens_issued == issued + 1


async def test_the_certificate_is_kept(credential: ClientCertificate, store: Store) -> None:
    """While Entra accepts it, the certificate is not read again."""
    for _ in range(3):
        await credential.request_token(AUDIENCE)
    assert store.loads == 1


async def test_an_unknown_certificate(
    credential: ClientCertificate, platform: Cloud, store: Store
) -> None:
    """A certificate that Entra does not know is named; the next request reads it anew."""
    platform.registration.certificates.clear()
    with pytest.raises(CertificateError, match="AADSTS700027") as caught:
        await credential.request_token(AUDIENCE)
    assert store.certificate.thumbprint in str(caught.value)
    assert f"upload its public key to the app registration {platform.registration.app_id}" in str(
        caught.value
    )
    platform.registration.certificates.append(store.certificate.public)
    assert (await credential.request_token(AUDIENCE)).value
    assert store.loads == 2


async def test_rotation(
    credential: ClientCertificate, platform: Cloud, store: Store, other_key: rsa.RSAPrivateKey
) -> None:
    """When the one in hand is withdrawn, the new one is picked up without a restart."""
    old = await credential.request_token(AUDIENCE)
    store.certificate = Certificate(self_signed("bot", other_key), other_key)
    platform.registration.certificates[:] = [store.certificate.public]
    with pytest.raises(CertificateError, match=old.thumbprint):
        await credential.request_token(AUDIENCE)
    token = await credential.request_token(AUDIENCE)
    assert token.thumbprint == store.certificate.thumbprint != old.thumbprint


async def test_an_expired_one_in_hand(
    platform: Cloud, authority: str, store: Store, other_key: rsa.RSAPrivateKey
) -> None:
    """A certificate that has run out since it was read is read anew, for the same request."""
    clock = Clock(time.time())
    credential = ClientCertificate(platform.registration.app_id, authority, store.load, clock=clock)
    store.certificate = Certificate(self_signed("bot", other_key, ends_in_days=1), other_key)
    platform.registration.certificates.append(store.certificate.public)
    old = await credential.request_token(AUDIENCE)
    store.certificate = Certificate(self_signed("bot", other_key, ends_in_days=30), other_key)
    platform.registration.certificates.append(store.certificate.public)
    clock.advance(2 * 24 * 3600)
    token = await credential.request_token(AUDIENCE)
    assert token.thumbprint == store.certificate.thumbprint != old.thumbprint


async def test_a_wrong_pin(platform: Cloud, authority: str, store: Store) -> None:
    """A certificate that is not pinned is not shown to Entra; both thumbprints are told."""
    before = platform.entra.server.requests.total()
    pins = frozenset({"A" * 40})
    credential = ClientCertificate(platform.registration.app_id, authority, store.load, pins)
    with pytest.raises(CertificateError, match="A" * 40) as caught:
        await credential.request_token(AUDIENCE)
    assert store.certificate.thumbprint in str(caught.value)
    assert platform.entra.server.requests.total() == before


async def test_a_right_pin(platform: Cloud, authority: str, store: Store) -> None:
    """A pinned one signs in."""
    pins = frozenset({store.certificate.thumbprint, "A" * 40})
    credential = ClientCertificate(platform.registration.app_id, authority, store.load, pins)
    assert (await credential.request_token(AUDIENCE)).value


@pytest.mark.parametrize(
    ("starts", "ends", "reason"), [(-30, -1, "expired on"), (1, 30, "is not valid before")]
)
async def test_dates(
    starts: int,
    ends: int,
    reason: str,
    credential: ClientCertificate,
    platform: Cloud,
    store: Store,
    key: rsa.RSAPrivateKey,
) -> None:
    """A certificate out of its dates is not shown to Entra, and the dates are told."""
    public = self_signed("bot", key, starts_in_days=starts, ends_in_days=ends)
    store.certificate = Certificate(public, key)
    before = platform.entra.server.requests.total()
    with pytest.raises(CertificateError, match=reason):
        await credential.request_token(AUDIENCE)
    assert platform.entra.server.requests.total() == before


async def test_an_unknown_app(authority: str, store: Store) -> None:
    """An app that the tenant does not know is told with the settings to compare."""
    credential = ClientCertificate(UNKNOWN, authority, store.load)
    with pytest.raises(SignInError, match=f"no app registration {UNKNOWN}") as caught:
        await credential.request_token(AUDIENCE)
    for part in ("AADSTS700016", "MicrosoftAppId", "MicrosoftAppTenantId", "MicrosoftAppType"):
        assert part in str(caught.value)


async def test_the_channel_s_tenant_for_a_single_tenant_app(platform: Cloud, store: Store) -> None:
    """A SingleTenant bot that signs in where MultiTenant ones do hears that its type is wrong."""
    authority = f"{platform.entra.server.url}/botframework.com"
    credential = ClientCertificate(platform.registration.app_id, authority, store.load)
    with pytest.raises(SignInError, match="MicrosoftAppType") as caught:
        await credential.request_token(AUDIENCE)
    assert authority in str(caught.value)


async def test_an_unknown_tenant(platform: Cloud, store: Store) -> None:
    """A tenant that does not exist is told with its setting."""
    authority = f"{platform.entra.server.url}/{UNKNOWN}"
    credential = ClientCertificate(platform.registration.app_id, authority, store.load)
    with pytest.raises(SignInError, match=UNKNOWN) as caught:
        await credential.request_token(AUDIENCE)
    assert "MicrosoftAppTenantId" in str(caught.value)


@pytest.mark.parametrize("path", ["openid-configuration", "token"])
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "html": True},
        {"status": 429},
        {"status": 429, "html": True},
        {"status": 200},
        {"status": 200, "html": True},
        {"status": 204},
        {"status": 302},
    ],
    ids=str,
)
async def test_an_outage(
    path: str,
    fault: dict[str, Any],
    credential: ClientCertificate,
    platform: Cloud,
    authority: str,
    store: Store,
) -> None:
    """Whatever Entra answers in place of a token, the sign-in failed; the certificate stays."""
    platform.entra.server.faults.set(path=path, **fault)
    with pytest.raises(SignInError, match=authority) as caught:
        await credential.request_token(AUDIENCE)
    assert not isinstance(caught.value, CertificateError)
    platform.entra.server.faults.clear()
    assert (await credential.request_token(AUDIENCE)).value
    assert store.loads == 1


async def test_a_closed_port(
    credential: ClientCertificate, authority: str, close_port: Callable[[str], None]
) -> None:
    """So is an endpoint that is not there."""
    close_port("entra")
    with pytest.raises(SignInError, match=authority):
        await credential.request_token(AUDIENCE)


async def test_a_silent_endpoint(
    credential: ClientCertificate, platform: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that never answers is given up on, and the event loop is free meanwhile."""
    monkeypatch.setattr("auth.client_certificate.READ_TIMEOUT", 0.3)
    before = platform.entra.server.requests.total()
    platform.entra.server.faults.set(silent=True)
    request = asyncio.create_task(credential.request_token(AUDIENCE))
    async with asyncio.timeout(5):
        while platform.entra.server.requests.total() == before:  # noqa: ASYNC110  # a counter has no event to wait for
            await asyncio.sleep(0)
    assert not request.done()
    with pytest.raises(SignInError, match="cannot be reached"):
        await request


async def test_no_certificate(platform: Cloud, authority: str) -> None:
    """What keeps the certificate from being read is told as it is."""

    async def load() -> Certificate:
        raise CertificateError("the vault is locked")

    credential = ClientCertificate(platform.registration.app_id, authority, load)
    with pytest.raises(CertificateError, match="the vault is locked"):
        await credential.request_token(AUDIENCE)


async def test_nothing_secret_is_logged(
    credential: ClientCertificate,
    platform: Cloud,
    assertions: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the token nor an assertion is in a log, at any level."""
    caplog.set_level(logging.DEBUG)
    token = await credential.request_token(AUDIENCE)
    platform.registration.certificates.clear()
    with pytest.raises(CertificateError):
        await credential.request_token(AUDIENCE)
    assert len(assertions) == 2
    assert not [secret for secret in (token.value, *assertions) if secret in caplog.text]
