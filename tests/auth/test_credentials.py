"""BotTokens and the table of credentials: from settings to a token, with the local cloud."""

import asyncio
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auth.access_token import AccessToken
from auth.certificate import Certificate
from auth.client_certificate import ClientCertificate
from auth.credentials import BotTokens, credential_for
from auth.errors import CertificateError, SignInError
from auth.managed_identity import ManagedIdentity
from auth.settings import Settings
from emulator.certificates import private_key_pem
from emulator.cloud import CERTIFICATE_NAME, Cloud
from emulator.entra import issuer_of

AUDIENCE = "https://api.botframework.com"
SKILL = "7e1d2b64-2c0a-4d29-9b0e-8e3f5a7c4d44"


class Recorder:
    """A credential that notes what it is asked for."""

    def __init__(self) -> None:
        self.audiences: list[str] = []

    async def request_token(self, audience: str) -> AccessToken:
        """A token that tells its audience."""
        self.audiences.append(audience)
        await asyncio.sleep(0)
        return AccessToken(f"for {audience}", 4_000_000_000.0)


async def test_one_request_for_each_audience() -> None:
    """Callers of one audience share a token; another audience has its own."""
    credential = Recorder()
    tokens = BotTokens(credential)
    asked = [AUDIENCE, SKILL] * 10
    found = await asyncio.gather(*(tokens.get(audience) for audience in asked))
    assert [token.value for token in found] == [f"for {audience}" for audience in asked]
    assert sorted(credential.audiences) == sorted({AUDIENCE, SKILL})


def settings(platform: Cloud, **changes: str) -> Settings:
    """The platform's bot's settings."""
    return Settings.from_environ({**platform.settings(), **changes})


def newest(platform: Cloud) -> Certificate:
    """The bot's certificate in the vault."""
    version = platform.vault.versions[CERTIFICATE_NAME][-1]
    return Certificate(version.certificate, version.private_key)


async def test_a_managed_identity(platform: Cloud) -> None:
    """A UserAssignedMSI bot signs in as the identity that MicrosoftAppId names."""
    app_id = platform.registration.app_id
    platform.identity.identities[app_id] = SKILL
    chosen = settings(platform, MicrosoftAppType="UserAssignedMSI", BotCredential="")
    credential = credential_for(chosen)
    assert isinstance(credential, ManagedIdentity)
    token = await BotTokens(credential).get(chosen.channel_audience)
    issuer = issuer_of(platform.registration.tenant_id)
    assert platform.entra.issuer.verify(token.value, AUDIENCE, issuer)["appid"] == app_id


async def test_a_certificate_in_the_vault(platform: Cloud) -> None:
    """A SingleTenant bot signs in with the vault's certificate; a warm one asks for nothing."""
    chosen = settings(platform)
    credential = credential_for(chosen)
    assert isinstance(credential, ClientCertificate)
    tokens = BotTokens(credential)
    token = await tokens.get(chosen.channel_audience)
    assert token.thumbprint == newest(platform).thumbprint
    parts = (platform.entra, platform.identity, platform.vault)
    before = [part.server.requests.total() for part in parts]
    assert [await tokens.get(chosen.channel_audience) for _ in range(20)] == [token] * 20
    assert [part.server.requests.total() for part in parts] == before


async def test_a_certificate_in_a_file(
    platform: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file serves in the vault's place, with the details that the settings say."""
    certificate = newest(platform)
    path = tmp_path / "bot.pem"
    path.write_bytes(
        private_key_pem(certificate.private_key) + certificate.public.public_bytes(Encoding.PEM)
    )
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
        CertificateThumbprint=certificate.thumbprint,
        CertificateSendX5c="true",
    )
    token = await credential_for(chosen).request_token(AUDIENCE)
    assert token.thumbprint == certificate.thumbprint
    assert jwt.get_unverified_header(seen[0])["x5c"] == [certificate.x5c]
    assert platform.vault.server.requests.total() == before


async def test_pins_count(platform: Cloud) -> None:
    """The settings' pins are what a certificate is held against."""
    credential = credential_for(settings(platform, CertificateThumbprint="A" * 40))
    with pytest.raises(CertificateError, match="A" * 40):
        await credential.request_token(AUDIENCE)


async def test_a_missing_file(platform: Cloud, tmp_path: Path) -> None:
    """A file that is not there is a failed sign-in."""
    chosen = settings(
        platform,
        CertificateVaultUrl="",
        CertificateName="",
        CertificatePath=str(tmp_path / "missing.pfx"),
    )
    with pytest.raises(SignInError, match="CertificatePath"):
        await BotTokens(credential_for(chosen)).get(AUDIENCE)


def test_no_source(platform: Cloud) -> None:
    """Settings that were not checked, and do not say where the certificate is, are refused."""
    with pytest.raises(TypeError):
        credential_for(replace(settings(platform), certificate=None))
