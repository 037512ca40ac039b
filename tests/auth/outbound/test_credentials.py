"""The table of credentials: from settings to a token, with the local cloud."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auth.credential_kinds import (
    CERTIFICATE,
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
    WITH_CERTIFICATE,
)
from auth.errors import CertificateError, EndpointDown, SignInError, VaultForbidden
from auth.outbound.client_certificate import ClientCertificateCredential
from auth.outbound.credentials import bot_tokens, credential_for, storage_tokens
from auth.outbound.federated import FederatedCredential
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import AccessToken, Credential, TokenProvider
from auth.settings import Settings, StorageSource
from bot_workbench.emulator.certificates import private_key_pem, x5t
from bot_workbench.emulator.channel.user_tokens import CONNECTION, UserConnection
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, READER_PERMISSIONS, Cloud
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from http_client.pool import HttpPool
from tests.support.credentials.sign_in import (
    AUDIENCE,
    CLIENT_ID,
    OTHER_AUDIENCE,
    PRINCIPAL_ID,
    UNKNOWN_ID,
)

Changes = dict[str, str]

SCOPES = [f"{OTHER_AUDIENCE}/User.Read", f"{OTHER_AUDIENCE}/Mail.Read"]


def settings(platform: Cloud, **changes: str) -> Settings:
    """The platform's bot's settings."""
    return Settings.from_environ({**platform.settings(), **changes})


def newest(platform: Cloud) -> VaultCertificate:
    """The bot's certificate in the vault."""
    return platform.vault.inventory.versions[CERTIFICATE_NAME][-1]


def as_identity(platform: Cloud) -> Changes:
    """The bot is a managed identity."""
    platform.identity.identities[platform.registration.app_id] = PRINCIPAL_ID
    return {
        "MicrosoftAppType": "UserAssignedMSI",
        "BotCredential": "",
        "AZURE_CLIENT_ID": CLIENT_ID,  # of something else
    }


def exported(_: Cloud) -> Changes:
    """The vault hands out the certificate with its key."""
    return {}


def in_vault(platform: Cloud) -> Changes:
    """The vault signs, and hands nothing out."""
    platform.vault_permissions[platform.reader] = set(READER_PERMISSIONS[SIGN_IN_VAULT])
    return {"BotCredential": "SignInVault"}


def federated(platform: Cloud) -> Changes:
    """The registration trusts an identity of the app."""
    platform.identity.identities[CLIENT_ID] = PRINCIPAL_ID
    issuer = platform.entra.authority.issuer(platform.registration.tenant_id)
    platform.registration.federated_credentials[:] = [TrustedSubject(issuer, PRINCIPAL_ID)]
    return {"BotCredential": "Federated", "AZURE_CLIENT_ID": CLIENT_ID}


WAYS: dict[str, tuple[Callable[[Cloud], Changes], type[Credential], dict[str, int]]] = {
    MANAGED_IDENTITY: (as_identity, ManagedIdentityCredential, {}),
    CERTIFICATE: (exported, ClientCertificateCredential, {"secrets/list": 1, "secrets/get": 1}),
    SIGN_IN_VAULT: (
        in_vault,
        ClientCertificateCredential,
        {"certificates/list": 1, "certificates/get": 1, "keys/sign": 1},
    ),
    FEDERATED: (federated, FederatedCredential, {}),
}
"""By credential: what makes it possible, its class, and what the vault does for one sign-in."""


@pytest.mark.parametrize("way", KINDS)
async def test_each_way_signs_in(way: str, platform: Cloud, pool: HttpPool) -> None:
    """Fifty cold callers cost one request of the bot's token; warm ones ask for nothing."""
    prepare, kind, operations = WAYS[way]
    before = platform.vault.operations.copy()
    chosen = settings(platform, **prepare(platform))
    credential = credential_for(chosen, pool)
    assert type(credential) is kind
    tokens = TokenProvider(credential)
    posted, identities = platform.entra.token_requests, platform.identity.server.requests.total()
    got = await asyncio.gather(*(tokens.get(chosen.channel_audience) for _ in range(50)))
    [token] = set(got)
    issuer = issuer_of(platform.registration.tenant_id)
    claims = platform.entra.issuer.verify(token.value, AUDIENCE, issuer)
    assert claims["appid"] == platform.registration.app_id
    assert platform.entra.token_requests == posted + (way != MANAGED_IDENTITY)
    assert platform.identity.server.requests.total() == identities + 1
    assert platform.vault.operations - before == operations
    certified = way in READER_PERMISSIONS
    assert token.thumbprint == (thumbprint(platform) if certified else "")
    assert bool(token.certificate_expires_on) == certified
    await stays_warm(platform, tokens, token)


async def stays_warm(platform: Cloud, tokens: TokenProvider, token: AccessToken) -> None:
    """A valid token is returned without any request."""
    parts = (platform.entra, platform.identity, platform.vault)
    before = [part.server.requests.total() for part in parts]
    assert [await tokens.get(AUDIENCE) for _ in range(20)] == [token] * 20
    assert [part.server.requests.total() for part in parts] == before


def signed_in(platform: Cloud) -> str:
    """The token of a user who has signed in for the bot's own registration."""
    target = UserConnection("user-1", CONNECTION, "msteams")
    platform.user_tokens.own_connections.add(CONNECTION)
    platform.user_tokens.sign_in(target, "user 1")
    token = platform.user_tokens.token(target)
    assert token
    return str(token["token"])


@pytest.mark.parametrize("way", [CERTIFICATE, SIGN_IN_VAULT, FEDERATED])
async def test_on_behalf_of_a_user(way: str, platform: Cloud, pool: HttpPool) -> None:
    """The token is the user's, for the service; each call asks for a new one."""
    tokens = bot_tokens(settings(platform, **WAYS[way][0](platform)), pool).services
    assert tokens
    user = jwt.decode(token := signed_in(platform), options={"verify_signature": False})
    found = [await tokens.on_behalf_of(SCOPES, token) for _ in range(2)]
    assert len({each.value for each in found}) == 2
    for each in found:
        issuer = issuer_of(platform.registration.tenant_id)
        claims = platform.entra.issuer.verify(each.value, OTHER_AUDIENCE, issuer)
        assert (claims["oid"], claims["name"]) == (user["oid"], "user 1")
        assert claims["appid"] == platform.registration.app_id
        assert set(claims["scp"].split()) == {"User.Read", "Mail.Read"}
        assert each.expires_on <= claims["exp"] + 1
        certified = way in READER_PERMISSIONS
        assert each.thumbprint == (thumbprint(platform) if certified else "")


@pytest.mark.parametrize("way", [CERTIFICATE, SIGN_IN_VAULT])
async def test_on_behalf_of_a_user_while_entra_does_not_know_the_newest_certificate(
    way: str, platform: Cloud, pool: HttpPool
) -> None:
    """The version before signs in."""
    tokens = bot_tokens(settings(platform, **WAYS[way][0](platform)), pool).services
    assert tokens
    before = thumbprint(platform)
    platform.renew_certificate(registered=False)
    assert before != thumbprint(platform)
    token = await tokens.on_behalf_of(SCOPES, signed_in(platform))
    assert token.thumbprint == before


async def test_a_managed_identity_acts_for_nobody(platform: Cloud, pool: HttpPool) -> None:
    """The text says which credentials can; nothing is asked, and nothing tried again."""
    chosen = settings(platform, **as_identity(platform))
    tokens = bot_tokens(chosen, pool).services
    assert tokens
    before = platform.entra.tokens_issued
    with pytest.raises(SignInError, match=r"managed identity cannot .*BotCredential=Federated"):
        await tokens.on_behalf_of(SCOPES, signed_in(platform))
    assert platform.entra.tokens_issued == before


@pytest.mark.parametrize("way", WITH_CERTIFICATE)
async def test_a_multi_tenant_bot_on_behalf_of_a_user(
    way: str, platform: Cloud, pool: HttpPool
) -> None:
    """The user's tenant issues the token, whichever tenant is the bot's home."""
    platform.registration.app_type = "MultiTenant"
    changes = {"MicrosoftAppType": "MultiTenant", "MicrosoftAppTenantId": UNKNOWN_ID}
    tokens = bot_tokens(settings(platform, **WAYS[way][0](platform), **changes), pool).services
    assert tokens
    token = await tokens.on_behalf_of(SCOPES, signed_in(platform))
    issuer = issuer_of(platform.registration.tenant_id)
    assert platform.entra.issuer.verify(token.value, OTHER_AUDIENCE, issuer)


async def test_an_outage_on_behalf_of_a_user(platform: Cloud, pool: HttpPool) -> None:
    """It is tried again, as the bot's own tokens are."""
    tokens = bot_tokens(settings(platform, **federated(platform)), pool).services
    assert tokens
    token = signed_in(platform)
    platform.entra.server.faults.set(status=503, remaining=1)
    assert (await tokens.on_behalf_of(SCOPES, token)).value
    assert platform.entra.server.faults.remaining == 0


def thumbprint(platform: Cloud) -> str:
    """That of the certificate in the vault, as the portal shows it."""
    padded = x5t(newest(platform).certificate) + "=="
    return jwt.utils.base64url_decode(padded).hex().upper()


async def test_each_audience_asks_for_its_own(platform: Cloud, pool: HttpPool) -> None:
    """The vault's certificate is read once, and signs for every audience."""
    tokens = TokenProvider(credential_for(settings(platform), pool))
    reads = platform.vault.operations["secrets/get"]
    posted = platform.entra.token_requests
    for audience in (AUDIENCE, OTHER_AUDIENCE, AUDIENCE, OTHER_AUDIENCE):
        assert (await tokens.get(audience)).value
    assert platform.vault.operations["secrets/get"] == reads + 1
    assert platform.entra.token_requests == posted + 2


async def test_the_reader_of_the_vault(platform: Cloud, pool: HttpPool) -> None:
    """AZURE_CLIENT_ID says which identity reads the vault; its own setting is named."""
    chosen = settings(platform, AZURE_CLIENT_ID=CLIENT_ID)
    with pytest.raises(SignInError, match=f"{CLIENT_ID} cannot sign in: set AZURE_CLIENT_ID"):
        await credential_for(chosen, pool).request_token(AUDIENCE)
    platform.identity.identities[CLIENT_ID] = PRINCIPAL_ID
    with pytest.raises(VaultForbidden):
        await credential_for(chosen, pool).request_token(AUDIENCE)
    platform.vault_permissions[PRINCIPAL_ID] = set(READER_PERMISSIONS[CERTIFICATE])
    assert (await credential_for(chosen, pool).request_token(AUDIENCE)).value


@pytest.mark.parametrize("way", [CERTIFICATE, SIGN_IN_VAULT])
async def test_the_vault_s_identity_is_not_retried(
    way: str, platform: Cloud, pool: HttpPool
) -> None:
    """The request that needs the vault is retried as a whole: the identity is called once."""
    prepare = WAYS[way][0]
    platform.identity.server.faults.set(status=500)
    before = platform.identity.server.requests.total()
    with pytest.raises(EndpointDown, match=r"the identity endpoint .*AZURE_CLIENT_ID"):
        await credential_for(settings(platform, **prepare(platform)), pool).request_token(AUDIENCE)
    assert platform.identity.server.requests.total() == before + 1


async def test_a_certificate_in_a_file(
    platform: Cloud, pool: HttpPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file serves in the vault's place, with the details that the settings say."""
    version = newest(platform)
    path = tmp_path / "bot.pem"
    public = version.certificate.public_bytes(Encoding.PEM)
    path.write_bytes(private_key_pem(version.private_key) + public)
    seen: list[str] = []
    monkeypatch.setattr(
        platform.entra.assertions, "verify", lambda assertion, *_: seen.append(assertion)
    )
    before = platform.vault.server.requests.total()
    chosen = settings(
        platform,
        CertificateVaultUrl="",
        CertificateName="",
        CertificatePath=str(path),
        CertificateThumbprint=thumbprint(platform),
        CertificateSendX5c="true",
    )
    token = await credential_for(chosen, pool).request_token(AUDIENCE)
    assert token.thumbprint == thumbprint(platform)
    [chain] = jwt.get_unverified_header(seen[0])["x5c"]
    assert x509.load_der_x509_certificate(base64.b64decode(chain)) == version.certificate
    assert platform.vault.server.requests.total() == before


@pytest.mark.parametrize("way", WITH_CERTIFICATE)
async def test_pins_count(way: str, platform: Cloud, pool: HttpPool) -> None:
    """CertificateThumbprint applies wherever the key is."""
    in_vault(platform)
    platform.vault_permissions[platform.reader] |= READER_PERMISSIONS[CERTIFICATE]
    changes = {"BotCredential": way, "CertificateThumbprint": "A" * 40}
    credential = credential_for(settings(platform, **changes), pool)
    with pytest.raises(CertificateError, match="A" * 40):
        await credential.request_token(AUDIENCE)


@pytest.mark.parametrize("way", KINDS)
def test_tokens_for_other_services(way: str, platform: Cloud, pool: HttpPool) -> None:
    """They come from the same caches as the channel's, except from another tenant."""
    prepare = WAYS[way][0]
    chosen = settings(platform, **prepare(platform))
    same = bot_tokens(chosen, pool)
    assert same.services is same.channel
    elsewhere = bot_tokens(replace(chosen, authority="https://login.example/tenant"), pool)
    assert (elsewhere.services is elsewhere.channel) == (way == MANAGED_IDENTITY)
    assert bot_tokens(replace(chosen, home_authority=""), pool).services is None


def test_no_source(platform: Cloud, pool: HttpPool) -> None:
    """Settings that were not checked, and do not say where the certificate is, are refused."""
    with pytest.raises(TypeError):
        credential_for(replace(settings(platform), certificate=None), pool)


@pytest.mark.parametrize("name", ["", "Secret", "federated"])
def test_an_unknown_way(name: str, platform: Cloud, pool: HttpPool) -> None:
    """So are settings that name no way to sign in."""
    with pytest.raises(KeyError):
        credential_for(replace(settings(platform), credential=name), pool)


def test_making_one_asks_for_nothing(platform: Cloud) -> None:
    """Outside of an event loop, and without a request of any part, each can be made."""
    parts = (platform.entra, platform.identity, platform.vault)
    before = [part.server.requests.total() for part in parts]
    for prepare, _, _ in WAYS.values():
        credential_for(settings(platform, **prepare(platform)), HttpPool())
    assert [part.server.requests.total() for part in parts] == before


async def test_who_reaches_storage(platform: Cloud, pool: HttpPool) -> None:
    """A managed identity signs in where there is no account key; its tokens are cached."""
    source = StorageSource(blob_url="https://a.blob.x", queue_url="https://a.queue.x")
    identity = storage_tokens(source, pool)
    assert identity
    before = platform.entra.tokens_issued
    tokens = {(await identity.get("https://storage.azure.com")).value}
    tokens.add((await identity.get("https://storage.azure.com")).value)
    assert platform.entra.tokens_issued == before + 1
    (token,) = tokens
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["oid"]) == ("https://storage.azure.com", platform.reader)
    chosen = storage_tokens(replace(source, client_id=CLIENT_ID), pool)
    assert chosen
    with pytest.raises(SignInError, match=f"{CLIENT_ID}.*AzureWebJobsStorage__clientId"):
        await chosen.get("https://storage.azure.com")
    platform.identity.identities[CLIENT_ID] = PRINCIPAL_ID
    chosen = storage_tokens(replace(source, client_id=CLIENT_ID), pool)
    assert chosen
    token = (await chosen.get("https://storage.azure.com")).value
    assert jwt.decode(token, options={"verify_signature": False})["oid"] == PRINCIPAL_ID


def test_nobody_signs_in_with_a_key(pool: HttpPool) -> None:
    """A connection string says it all."""
    assert storage_tokens(StorageSource("AccountName=a;AccountKey=b"), pool) is None
