"""certificate_from_vault: the bot's certificate from Key Vault, or what to fix."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from auth.errors import CertificateError, SignInError
from auth.key_vault import certificate_from_vault
from auth.settings import CertificateSource
from emulator.cloud import CERTIFICATE_NAME, Cloud
from emulator.vault_certificate import PEM, PKCS12

# One loop for all: a TLS connection that timed out takes its leave after the test that made it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

READER = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
PRINCIPAL = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
UNKNOWN = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"


def source(platform: Cloud, name: str = CERTIFICATE_NAME, reader: str = "") -> CertificateSource:
    """Where the certificate is; read by the system-assigned identity unless `reader` is another."""
    return CertificateSource(
        vault_url=platform.vault.server.url,
        name=name,
        path="",
        identity_client_id=reader,
        thumbprints=frozenset(),
        send_x5c=False,
    )


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's pauses between attempts take seconds."""
    monkeypatch.setattr("auth.key_vault.RETRIES", 0)
    monkeypatch.setattr("auth.managed_identity.RETRIES", 0)


@pytest.mark.parametrize("content_type", [PKCS12, PEM])
async def test_the_newest_version(content_type: str, platform: Cloud) -> None:
    """The newest version is read, with its private key, whether PFX or PEM."""
    made = platform.vault.add_version(CERTIFICATE_NAME, content_type=content_type)
    found = await certificate_from_vault(source(platform))
    assert found.public == made.certificate
    assert found.private_key.private_numbers() == made.private_key.private_numbers()


async def test_a_user_assigned_reader(platform: Cloud) -> None:
    """AZURE_CLIENT_ID names the identity that reads."""
    platform.identity.identities[READER] = PRINCIPAL
    with pytest.raises(CertificateError, match="may not read"):
        await certificate_from_vault(source(platform, reader=READER))
    platform.vault.permissions[PRINCIPAL] = {"secrets/get"}
    assert await certificate_from_vault(source(platform, reader=READER))


async def test_no_role(platform: Cloud) -> None:
    """Without the role, the refusal names it."""
    platform.vault.permissions.clear()
    with pytest.raises(CertificateError, match="Key Vault Secrets User") as caught:
        await certificate_from_vault(source(platform))
    assert f"{CERTIFICATE_NAME} in {platform.vault.server.url}" in str(caught.value)


async def test_no_such_certificate(platform: Cloud) -> None:
    """A name that the vault does not know is told with its setting."""
    with pytest.raises(CertificateError, match="CertificateName: there is no certificate other"):
        await certificate_from_vault(source(platform, "other"))


async def test_a_disabled_version(platform: Cloud) -> None:
    """A version that is disabled cannot be read; the refusal says to look at that too."""
    platform.vault.add_version(CERTIFICATE_NAME, enabled=False)
    with pytest.raises(CertificateError, match="check that the version is enabled"):
        await certificate_from_vault(source(platform))


async def test_a_secret_that_is_no_certificate(platform: Cloud) -> None:
    """A name of a secret in the place of a certificate's is recognised by its content type."""
    platform.vault.add_version("password", content_type="text/plain")
    with pytest.raises(CertificateError, match="must name a certificate, not a secret"):
        await certificate_from_vault(source(platform, "password"))


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        (PKCS12, "without an RSA private key: make it exportable"),
        (PEM, "does not hold a certificate and its private key"),
    ],
)
async def test_a_key_that_cannot_be_exported(
    content_type: str, reason: str, platform: Cloud
) -> None:
    """A certificate whose key does not leave the vault is refused."""
    platform.vault.add_version(CERTIFICATE_NAME, content_type=content_type, exportable=False)
    with pytest.raises(CertificateError, match=reason):
        await certificate_from_vault(source(platform))


async def test_a_reader_that_cannot_sign_in(platform: Cloud) -> None:
    """An identity that the app does not have is named, with the setting to correct."""
    with pytest.raises(SignInError, match=f"{UNKNOWN} cannot sign in to read") as caught:
        await certificate_from_vault(source(platform, reader=UNKNOWN))
    assert "set AZURE_CLIENT_ID" in str(caught.value)


async def test_no_system_assigned_reader(platform: Cloud) -> None:
    """So is a missing system-assigned one, which has no id."""
    platform.identity.identities.clear()
    with pytest.raises(SignInError, match="the system-assigned identity cannot sign in to read"):
        await certificate_from_vault(source(platform))


@pytest.mark.usefixtures("no_retries")
async def test_an_outage_of_the_identity_endpoint(platform: Cloud) -> None:
    """While the identity endpoint is down, no setting is blamed."""
    platform.identity.server.faults.set(status=500)
    with pytest.raises(SignInError, match="does not answer") as caught:
        await certificate_from_vault(source(platform))
    assert "AZURE_CLIENT_ID" not in str(caught.value)


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "html": True},
        {"status": 429, "retry_after": 0},
    ],
    ids=str,
)
async def test_an_outage(fault: dict[str, Any], platform: Cloud) -> None:
    """While the vault is down, the text names it."""
    platform.vault.server.faults.set(**fault)
    with pytest.raises(SignInError, match="does not answer for") as caught:
        await certificate_from_vault(source(platform))
    assert platform.vault.server.url in str(caught.value)


@pytest.mark.usefixtures("no_retries")
async def test_a_silent_vault(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault that takes requests and never answers is given up on."""
    monkeypatch.setattr("auth.key_vault.READ_TIMEOUT", 0.05)
    platform.vault.server.faults.set(silent=True)
    async with asyncio.timeout(5):
        with pytest.raises(SignInError, match="does not answer for"):
            await certificate_from_vault(source(platform))


@pytest.mark.usefixtures("no_retries")
async def test_a_closed_port(platform: Cloud, close_port: Callable[[str], None]) -> None:
    """So is one that is not there."""
    close_port("vault")
    with pytest.raises(SignInError, match="does not answer for"):
        await certificate_from_vault(source(platform))


async def test_not_a_vault(platform: Cloud) -> None:
    """A host that answers with a page is no vault: the setting is named."""
    platform.vault.server.faults.set(status=200, html=True)
    with pytest.raises(SignInError, match="CertificateVaultUrl"):
        await certificate_from_vault(source(platform))


async def test_a_host_outside_of_the_vaults(
    platform: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for loopback, a host that is no vault's gets no token, though it asks like one."""
    monkeypatch.setattr("auth.key_vault.LOOPBACK_HOSTS", frozenset())
    before = platform.identity.server.requests.total()
    with pytest.raises(SignInError, match="CertificateVaultUrl"):
        await certificate_from_vault(source(platform))
    assert platform.identity.server.requests.total() == before


async def test_nothing_secret_is_logged(
    platform: Cloud, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a token nor the secret's value is in a log, at any level."""
    caplog.set_level(logging.DEBUG)
    issued: list[str] = []
    sign = platform.entra.issuer.sign

    def kept(*arguments: Any) -> str:
        issued.append(sign(*arguments))
        return issued[-1]

    monkeypatch.setattr(platform.entra.issuer, "sign", kept)
    made = platform.vault.add_version(CERTIFICATE_NAME, content_type=PEM)
    await certificate_from_vault(source(platform))
    assert len(issued) == 1
    assert issued[0] not in caplog.text
    assert made.secret_bundle("")["value"].splitlines()[1] not in caplog.text
