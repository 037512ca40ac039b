"""ExportedCertificate: the vault's certificate with its private key, or what to fix."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.key_vault import CertificateVault, ExportedCertificate
from auth.certificates.private_key import LocalKey
from auth.errors import CertificateError, VaultForbidden
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from bot_workbench.emulator.key_vault.policy import PEM, PKCS12
from bot_workbench.emulator.key_vault.vault import PAGE_SIZE


@pytest.fixture
def store(vault: CertificateVault) -> ExportedCertificate:
    """The platform's certificate."""
    return ExportedCertificate(vault)


def ignore_content_type(platform: Cloud, made: VaultCertificate) -> None:
    """Make the vault return this version in its own form, whichever form a request asks for."""
    secret = json.dumps(made.secret_bundle(platform.vault.server.url))
    platform.vault.server.faults.set(status=200, path="outContentType=", body=secret)


def refuse_content_type(platform: Cloud, _: VaultCertificate) -> None:
    """Make the vault refuse every request that names a form."""
    error = {"error": {"code": "BadParameter", "message": "It cannot be converted."}}
    platform.vault.server.faults.set(status=400, path="outContentType=", body=json.dumps(error))


each_vault_without_conversion = pytest.mark.parametrize(
    "limit_vault", [ignore_content_type, refuse_content_type]
)

LimitVault = Callable[[Cloud, VaultCertificate], None]


async def check_loaded(store: ExportedCertificate, made: VaultCertificate) -> None:
    """Pass when the store hands out this version, with its private key, as the newest."""
    version = (await store.versions())[0]
    assert version == made.version
    found = await store.load(version)
    assert found.public == made.certificate
    assert isinstance(found.key, LocalKey)
    assert found.key.private_key.private_numbers() == made.private_key.private_numbers()


@pytest.mark.parametrize("content_type", [PKCS12, PEM])
async def test_the_newest_version(
    content_type: str, store: ExportedCertificate, platform: Cloud
) -> None:
    """The newest version is loaded with its private key; the vault converts it to PEM."""
    made = platform.vault.inventory.add_version(CERTIFICATE_NAME, content_type=content_type)
    before = platform.vault.secrets_read.copy()
    await check_loaded(store, made)
    assert platform.vault.secrets_read - before == {PEM: 1}


@each_vault_without_conversion
@pytest.mark.parametrize("content_type", [PKCS12, PEM])
async def test_a_vault_that_does_not_convert(
    limit_vault: LimitVault, content_type: str, store: ExportedCertificate, platform: Cloud
) -> None:
    """A certificate loads from a vault that ignores or refuses the requested form, too."""
    made = platform.vault.inventory.add_version(CERTIFICATE_NAME, content_type=content_type)
    limit_vault(platform, made)
    await check_loaded(store, made)


async def test_all_versions(
    store: ExportedCertificate, platform: Cloud, key: rsa.RSAPrivateKey, public: x509.Certificate
) -> None:
    """Every page of the vault's list is read; disabled versions are left out."""
    for number in range(2 * PAGE_SIZE):
        platform.vault.inventory.add_version(
            CERTIFICATE_NAME, key=key, certificate=public, enabled=number % 10 != 0
        )
    before = platform.vault.operations["secrets/list"]
    enabled = [
        each.version for each in platform.vault.inventory.versions[CERTIFICATE_NAME] if each.enabled
    ]
    assert await store.versions() == enabled[::-1]
    assert platform.vault.operations["secrets/list"] == before + 3


@each_vault_without_conversion
async def test_an_older_version(
    limit_vault: LimitVault, store: ExportedCertificate, platform: Cloud
) -> None:
    """An older version loads as the newest does."""
    old = platform.vault.inventory.versions[CERTIFICATE_NAME][-1]
    limit_vault(platform, old)
    platform.vault.inventory.add_version(CERTIFICATE_NAME)
    assert (await store.load(old.version)).public == old.certificate


async def test_no_right_to_list(store: ExportedCertificate, platform: Cloud) -> None:
    """Without the right to list, the current version can still be loaded."""
    platform.vault_permissions[platform.reader] = {"secrets/get"}
    made = platform.vault.inventory.add_version(CERTIFICATE_NAME)
    with pytest.raises(VaultForbidden):
        await store.versions()
    assert (await store.load(None)).public == made.certificate


async def test_no_role(store: ExportedCertificate, platform: Cloud) -> None:
    """Without the role, the refusal names it, the certificate and the vault."""
    platform.vault_permissions.clear()
    for refused in (store.versions(), store.load(None)):
        with pytest.raises(VaultForbidden, match="Key Vault Secrets User") as caught:
            await refused
        assert f"{CERTIFICATE_NAME} in {platform.vault.server.url}" in str(caught.value)


async def test_no_such_certificate(store: ExportedCertificate, platform: Cloud) -> None:
    """The text for a name that the vault does not know names the setting."""
    platform.vault.inventory.versions.clear()
    for refused in (store.versions(), store.load(None)):
        with pytest.raises(CertificateError, match="CertificateName: there is no certificate"):
            await refused


async def test_no_enabled_version(store: ExportedCertificate, platform: Cloud) -> None:
    """When every version is disabled, the refusal says to check that."""
    versions = platform.vault.inventory.versions
    versions[CERTIFICATE_NAME] = [
        replace(each, enabled=False) for each in versions[CERTIFICATE_NAME]
    ]
    assert await store.versions() == []
    with pytest.raises(VaultForbidden, match="check that the version is enabled"):
        await store.load(None)


@pytest.mark.parametrize("content_type", [PKCS12, PEM])
@pytest.mark.parametrize("converts", [True, False])
async def test_a_key_that_cannot_be_exported(
    content_type: str, converts: bool, store: ExportedCertificate, platform: Cloud
) -> None:
    """A certificate whose key does not leave the vault is refused, with the way that works."""
    made = platform.vault.inventory.add_version(
        CERTIFICATE_NAME, content_type=content_type, exportable=False
    )
    if not converts:
        ignore_content_type(platform, made)
    with pytest.raises(CertificateError, match="exportable, or set BotCredential to SignIn"):
        await store.load(None)


@pytest.mark.parametrize("value", ["a plain secret", "Secret12", ""])
async def test_a_plain_secret(value: str, store: ExportedCertificate, platform: Cloud) -> None:
    """A plain secret of the certificate's name is refused, without its value in the text."""
    bundle = platform.vault.inventory.versions[CERTIFICATE_NAME][-1].secret_bundle(
        platform.vault.server.url
    )
    plain = json.dumps({**bundle, "value": value, "contentType": "text/plain"})
    platform.vault.server.faults.set(status=200, body=plain)
    with pytest.raises(CertificateError, match="CertificateName must name a cert") as caught:
        await store.load(None)
    assert not value or value not in str(caught.value)
