"""VaultCertificate: the azure-keyvault clients read certificates, secrets and keys."""

import base64

import pytest
from azure.keyvault.secrets import ContentType
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bot_workbench.emulator.key_vault.policy import PEM, PKCS12
from bot_workbench.emulator.key_vault.vault import KeyVault
from tests.emulator.key_vault.vault_caller import LISTS, VaultCaller, kinds, refusal


@kinds
async def test_a_certificate_is_read(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """The newest version is read, or the one that is requested."""
    old = vault.inventory.add_version("bot", key=key)
    new = vault.inventory.add_version("bot", key=key)
    latest = await call(kind, "certificates", lambda client: client.get_certificate("bot"))
    assert latest.properties.version == new.version
    assert x509.load_der_x509_certificate(latest.cer) == new.certificate
    sha1 = new.certificate.fingerprint(hashes.SHA1())  # noqa: S303  # x5t is SHA-1 by definition
    assert latest.properties.x509_thumbprint == sha1
    assert latest.properties.enabled
    assert latest.properties.expires_on == new.certificate.not_valid_after_utc
    assert latest.key_id == f"{vault.server.url}/keys/bot/{new.version}"
    assert latest.secret_id == f"{vault.server.url}/secrets/bot/{new.version}"
    assert latest.policy.content_type == PKCS12
    assert latest.policy.exportable
    found = await call(
        kind, "certificates", lambda client: client.get_certificate_version("bot", old.version)
    )
    assert x509.load_der_x509_certificate(found.cer) == old.certificate
    assert found.properties.created_on < latest.properties.created_on


@kinds
@pytest.mark.parametrize("client", LISTS)
@pytest.mark.parametrize("page", [None, 4])
async def test_versions_are_listed_page_by_page(
    vault: KeyVault,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    kind: str,
    client: str,
    page: int | None,
) -> None:
    """Versions are listed by id, in pages of 25 or fewer; the newest has the latest `created`."""
    made = [
        vault.inventory.add_version("bot", key=key, certificate=certificate, enabled=number != 3)
        for number in range(30)
    ]
    options = {} if page is None else {"max_page_size": page}
    listed = await call(kind, client, lambda opened: LISTS[client](opened, **options))
    ids = [properties.version for properties in listed]
    assert ids == sorted(version.version for version in made)
    by_age = sorted(listed, key=lambda properties: properties.created_on)
    assert [properties.version for properties in by_age] == [version.version for version in made]
    assert [properties.enabled for properties in by_age] == [version.enabled for version in made]
    # One request more where the client did not know yet how to sign in.
    pages = 2 if page is None else 8
    assert vault.server.requests[f"GET /{client}/bot/versions"] in (pages, pages + 1)
    assert vault.operations == {f"{client}/list": pages}


@kinds
async def test_a_listed_secret_has_all_but_its_value(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """A secret's version is listed with content type, validity and `managed`."""
    made = vault.inventory.add_version("bot", key=key, content_type=PEM, enabled=False)
    (listed,) = await call(kind, "secrets", LISTS["secrets"])
    assert listed.id == f"{vault.server.url}/secrets/bot/{made.version}"
    assert listed.content_type == PEM
    assert listed.managed
    assert listed.enabled is False
    assert listed.not_before == made.certificate.not_valid_before_utc
    assert listed.expires_on == made.certificate.not_valid_after_utc
    assert listed.created_on.timestamp() == listed.updated_on.timestamp() == made.created
    assert "value" not in made.listed("secrets", vault.server.url)


@kinds
async def test_a_secret_holds_the_certificate_as_pfx(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """The PFX has no password and holds private key and certificate of its version."""
    old = vault.inventory.add_version("bot", key=key)
    vault.inventory.add_version("bot", key=key)
    secret = await call(kind, "secrets", lambda client: client.get_secret("bot", old.version))
    assert secret.properties.content_type == "application/x-pkcs12"
    assert secret.properties.version == old.version
    private, public, _ = pkcs12.load_key_and_certificates(base64.b64decode(secret.value), b"")
    assert public == old.certificate
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.private_numbers() == key.private_numbers()


@kinds
async def test_a_secret_holds_the_certificate_as_pem(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """The PEM is the private key, then the certificate."""
    made = vault.inventory.add_version("bot", key=key, content_type=PEM)
    secret = await call(kind, "secrets", lambda client: client.get_secret("bot"))
    assert secret.properties.content_type == "application/x-pem-file"
    assert secret.value.startswith("-----BEGIN PRIVATE KEY-----")
    private = serialization.load_pem_private_key(secret.value.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.private_numbers() == key.private_numbers()
    assert x509.load_pem_x509_certificate(secret.value.encode()) == made.certificate


@kinds
@pytest.mark.parametrize("content_type", [PKCS12, PEM])
@pytest.mark.parametrize("exportable", [True, False])
async def test_a_secret_is_converted_to_pem(
    vault: KeyVault,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    kind: str,
    content_type: str,
    exportable: bool,
) -> None:
    """A PFX is converted to PEM on request, with the private key if it is exportable."""
    made = vault.inventory.add_version(
        "bot", key=key, content_type=content_type, exportable=exportable
    )
    secret = await call(
        kind, "secrets", lambda client: client.get_secret("bot", out_content_type=ContentType.PEM)
    )
    assert secret.properties.content_type == PEM
    assert x509.load_pem_x509_certificate(secret.value.encode()) == made.certificate
    assert secret.value.startswith("-----BEGIN PRIVATE KEY-----") is exportable
    assert ("PRIVATE" in secret.value) is exportable
    plain = await call(kind, "secrets", lambda client: client.get_secret("bot"))
    assert plain.properties.content_type == content_type


@pytest.mark.parametrize(
    ("content_type", "wanted"),
    [(PEM, PKCS12), (PKCS12, "text/plain"), (PEM, "text/plain"), ("text/plain", PEM)],
)
async def test_another_conversion_is_refused(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, content_type: str, wanted: str
) -> None:
    """Only PFX can be converted, and only to PEM."""
    vault.inventory.add_version("bot", key=key, content_type=content_type)
    refused = await refusal(
        call, "secrets", lambda client: client.get_secret("bot", out_content_type=wanted)
    )
    assert refused == (400, "BadParameter", "")
    assert vault.operations["secrets/get"] == 0


async def test_a_key_that_is_not_exportable_stays_in_the_vault(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """The secret of a certificate that is not exportable has no private key."""
    made = vault.inventory.add_version("pfx", key=key, exportable=False)
    vault.inventory.add_version(
        "pem", key=key, certificate=made.certificate, content_type=PEM, exportable=False
    )
    pfx = await call("aio", "secrets", lambda client: client.get_secret("pfx"))
    private, public, more = pkcs12.load_key_and_certificates(base64.b64decode(pfx.value), b"")
    assert private is None
    assert made.certificate in (public, *more)
    pem = await call("aio", "secrets", lambda client: client.get_secret("pem"))
    assert "PRIVATE" not in pem.value
    assert x509.load_pem_x509_certificate(pem.value.encode()) == made.certificate
    bundle = await call("aio", "certificates", lambda client: client.get_certificate("pfx"))
    assert bundle.policy.exportable is False


async def test_a_key_is_read(vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey) -> None:
    """The key's public part is the certificate's; there is no private part."""
    made = vault.inventory.add_version("bot", key=key)
    found = await call("aio", "keys", lambda client: client.get_key("bot", made.version))
    numbers = key.public_key().public_numbers()
    assert (int.from_bytes(found.key.n), int.from_bytes(found.key.e)) == (numbers.n, numbers.e)
    assert found.key.d is None
    assert found.properties.managed
    latest = await call("sync", "keys", lambda client: client.get_key("bot"))
    assert latest.id == found.id
