"""ExportedCertificate: the vault's certificate with its private key, or what to fix."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.exported import ExportedCertificate
from auth.certificates.key_vault import CertificateVault
from auth.certificates.private_key import LocalKey
from auth.errors import CertificateError, VaultForbidden
from emulator.cloud import CERTIFICATE_NAME, Cloud
from emulator.key_vault.certificate import PEM, PKCS12, VaultCertificate
from emulator.key_vault.errors import VaultError
from emulator.key_vault.vault import PAGE_SIZE


@pytest.fixture
def store(vault: CertificateVault) -> ExportedCertificate:
    """The platform's certificate."""
    return ExportedCertificate(vault)


def asked_form(request: web.Request) -> str:
    """The form in which a request wants the secret."""
    return request.query.get("outContentType", "")


def ignoring(_: web.Request, found: VaultCertificate) -> str:
    """A vault that answers with what it has."""
    return found.content_type


def refusing(request: web.Request, found: VaultCertificate) -> str:
    """A vault that takes a wish for a form as an error."""
    if asked_form(request):
        raise VaultError(400, "BadParameter", "It cannot be converted.")
    return found.content_type


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
    content_type: str,
    store: ExportedCertificate,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest version comes with its private key, asked for as PEM, which the vault makes."""
    asked: list[str] = []

    def converting(request: web.Request, _: VaultCertificate) -> str:
        asked.append(asked_form(request))
        return asked[-1]

    monkeypatch.setattr("emulator.key_vault.vault._content_type", converting)
    made = platform.vault.add_version(CERTIFICATE_NAME, content_type=content_type)
    await check_loaded(store, made)
    assert asked == [PEM]


@pytest.mark.parametrize("form", [ignoring, refusing])
@pytest.mark.parametrize("content_type", [PKCS12, PEM])
async def test_a_vault_that_does_not_convert(
    form: Any,
    content_type: str,
    store: ExportedCertificate,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A vault that hands out what it has, or refuses to do otherwise, is understood too."""
    monkeypatch.setattr("emulator.key_vault.vault._content_type", form)
    await check_loaded(
        store, platform.vault.add_version(CERTIFICATE_NAME, content_type=content_type)
    )


async def test_all_versions(
    store: ExportedCertificate, platform: Cloud, key: rsa.RSAPrivateKey, public: x509.Certificate
) -> None:
    """Every page of the vault's list is read; disabled versions are left out."""
    for number in range(2 * PAGE_SIZE):
        platform.vault.add_version(
            CERTIFICATE_NAME, key=key, certificate=public, enabled=number % 10 != 0
        )
    before = platform.vault.operations["secrets/list"]
    enabled = [each.version for each in platform.vault.versions[CERTIFICATE_NAME] if each.enabled]
    assert await store.versions() == enabled[::-1]
    assert platform.vault.operations["secrets/list"] == before + 3


@pytest.mark.parametrize("form", [ignoring, refusing])
async def test_an_older_version(
    form: Any, store: ExportedCertificate, platform: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version is as much at hand as the newest."""
    monkeypatch.setattr("emulator.key_vault.vault._content_type", form)
    old = platform.vault.versions[CERTIFICATE_NAME][-1]
    platform.vault.add_version(CERTIFICATE_NAME)
    assert (await store.load(old.version)).public == old.certificate


async def test_no_right_to_list(store: ExportedCertificate, platform: Cloud) -> None:
    """A reader that may only read hears so, and gets the current version."""
    platform.vault.permissions[platform.reader] = {"secrets/get"}
    made = platform.vault.add_version(CERTIFICATE_NAME)
    with pytest.raises(VaultForbidden):
        await store.versions()
    assert (await store.load(None)).public == made.certificate


async def test_no_role(store: ExportedCertificate, platform: Cloud) -> None:
    """Without the role, the refusal names it, the certificate and the vault."""
    platform.vault.permissions.clear()
    for refused in (store.versions(), store.load(None)):
        with pytest.raises(VaultForbidden, match="Key Vault Secrets User") as caught:
            await refused
        assert f"{CERTIFICATE_NAME} in {platform.vault.server.url}" in str(caught.value)


async def test_no_such_certificate(store: ExportedCertificate, platform: Cloud) -> None:
    """A name that the vault does not know is told with its setting."""
    platform.vault.versions.clear()
    for refused in (store.versions(), store.load(None)):
        with pytest.raises(CertificateError, match="CertificateName: there is no certificate"):
            await refused


async def test_no_enabled_version(store: ExportedCertificate, platform: Cloud) -> None:
    """Where every version is disabled, the refusal says to look at that."""
    versions = platform.vault.versions
    versions[CERTIFICATE_NAME] = [
        replace(each, enabled=False) for each in versions[CERTIFICATE_NAME]
    ]
    assert await store.versions() == []
    with pytest.raises(VaultForbidden, match="check that the version is enabled"):
        await store.load(None)


@pytest.mark.parametrize("content_type", [PKCS12, PEM])
@pytest.mark.parametrize("form", [None, ignoring])
async def test_a_key_that_cannot_be_exported(
    content_type: str,
    form: Any,
    store: ExportedCertificate,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A certificate whose key does not leave the vault is refused, with the way that works."""
    if form:
        monkeypatch.setattr("emulator.key_vault.vault._content_type", form)
    platform.vault.add_version(CERTIFICATE_NAME, content_type=content_type, exportable=False)
    with pytest.raises(CertificateError, match="exportable, or set CertificateKeyUse to SignIn"):
        await store.load(None)


@pytest.mark.parametrize("value", ["a plain secret", "Secret12", ""])
async def test_a_plain_secret(
    value: str, store: ExportedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret in a certificate's place is told with the setting, and its value is in no text."""
    bundle = VaultCertificate.secret_bundle

    def plain(found: VaultCertificate, vault: str, _: str = "") -> dict[str, Any]:
        return {**bundle(found, vault), "value": value, "contentType": "text/plain"}

    monkeypatch.setattr(VaultCertificate, "secret_bundle", plain)
    with pytest.raises(CertificateError, match="CertificateName must name a cert") as caught:
        await store.load(None)
    assert not value or value not in str(caught.value)
