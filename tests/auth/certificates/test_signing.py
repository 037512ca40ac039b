"""VaultSigning: the vault's certificate, for which the vault itself signs, or what to fix."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from auth.certificates.key_vault import CertificateVault, VaultSigning
from auth.credential_kinds import SIGN_IN_VAULT
from auth.errors import CertificateError, EndpointDown, VaultForbidden
from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, READER_PERMISSIONS, Cloud
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from bot_workbench.emulator.key_vault.vault import PAGE_SIZE

PS256 = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)


@pytest.fixture
def signing(platform: Cloud) -> Cloud:
    """The platform, where the reader has the rights that SignInVault needs, and no others."""
    assert READER_PERMISSIONS[SIGN_IN_VAULT] == {
        "certificates/get",
        "certificates/list",
        "keys/sign",
    }
    platform.vault_permissions[platform.reader] = set(READER_PERMISSIONS[SIGN_IN_VAULT])
    return platform


@pytest.fixture
def made(signing: Cloud) -> VaultCertificate:
    """The newest version; its key does not leave the vault."""
    return signing.vault.inventory.add_version(CERTIFICATE_NAME, exportable=False)


@pytest.fixture
def store(vault: CertificateVault) -> VaultSigning:
    """The platform's certificate."""
    return VaultSigning(vault)


def verify(made: VaultCertificate, signature: bytes, data: bytes) -> None:
    """Pass when the version's key made this signature."""
    made.private_key.public_key().verify(signature, data, PS256, hashes.SHA256())


async def test_the_newest_version(
    store: VaultSigning, made: VaultCertificate, signing: Cloud
) -> None:
    """The newest version signs in the vault; no request asks for a secret or a key."""
    operations = Counter(signing.vault.operations)
    requests = Counter(signing.vault.server.requests)
    version = (await store.versions())[0]
    assert version == made.version
    found = await store.load(version)
    assert found.public == made.certificate
    signature = await found.key.sign(b"data")
    verify(made, signature, b"data")
    with pytest.raises(InvalidSignature):
        verify(made, signature, b"other data")
    done = signing.vault.operations - operations
    assert done == {"certificates/list": 1, "certificates/get": 1, "keys/sign": 1}
    assert set(signing.vault.server.requests - requests) == {
        f"GET /certificates/{CERTIFICATE_NAME}/versions",
        f"GET /certificates/{CERTIFICATE_NAME}/{made.version}",
        f"POST /keys/{CERTIFICATE_NAME}/{made.version}/sign",
    }


async def test_one_request_for_each_signature(
    store: VaultSigning, made: VaultCertificate, signing: Cloud
) -> None:
    """A signature costs one request, and needs nothing else."""
    found = await store.load(made.version)
    before = signing.vault.server.requests.total()
    for data in (b"one", b"two", b"three"):
        verify(made, await found.key.sign(data), data)
    assert signing.vault.server.requests.total() == before + 3


async def test_an_older_version(store: VaultSigning, signing: Cloud) -> None:
    """An older version signs with its own key."""
    old = signing.vault.inventory.versions[CERTIFICATE_NAME][-1]
    signing.vault.inventory.add_version(CERTIFICATE_NAME)
    found = await store.load(old.version)
    assert found.public == old.certificate
    verify(old, await found.key.sign(b"data"), b"data")


async def test_all_versions(
    store: VaultSigning, signing: Cloud, key: rsa.RSAPrivateKey, public: x509.Certificate
) -> None:
    """Every page of the vault's list is read; disabled versions are left out."""
    for number in range(2 * PAGE_SIZE):
        signing.vault.inventory.add_version(
            CERTIFICATE_NAME, key=key, certificate=public, enabled=number % 10 != 0
        )
    enabled = [
        each.version for each in signing.vault.inventory.versions[CERTIFICATE_NAME] if each.enabled
    ]
    assert await store.versions() == enabled[::-1]


async def test_no_right_to_list(
    store: VaultSigning, made: VaultCertificate, signing: Cloud
) -> None:
    """Without the right to list, the refusal names the role, and the current version signs."""
    signing.vault_permissions[signing.reader] = {"certificates/get", "keys/sign"}
    with pytest.raises(VaultForbidden, match="Key Vault Reader"):
        await store.versions()
    found = await store.load(None)
    assert found.public == made.certificate
    verify(made, await found.key.sign(b"data"), b"data")


async def test_no_right_to_read(
    store: VaultSigning, made: VaultCertificate, signing: Cloud
) -> None:
    """Without the right to read certificates, the refusal names the role."""
    signing.vault_permissions[signing.reader] = {"certificates/list", "keys/sign"}
    with pytest.raises(VaultForbidden, match="Key Vault Reader") as caught:
        await store.load(made.version)
    assert f"{CERTIFICATE_NAME} in {signing.vault.server.url}" in str(caught.value)


async def test_no_right_to_sign(
    store: VaultSigning, made: VaultCertificate, signing: Cloud
) -> None:
    """Without the right to sign, the refusal names the role and the action."""
    signing.vault_permissions[signing.reader] = {"certificates/list", "certificates/get"}
    found = await store.load(made.version)
    with pytest.raises(VaultForbidden, match=r"Key Vault Crypto User \(keys/sign\)"):
        await found.key.sign(b"data")


async def test_a_disabled_version(store: VaultSigning, signing: Cloud) -> None:
    """A version that is disabled after it was loaded does not sign, and the text says why."""
    versions = signing.vault.inventory.versions[CERTIFICATE_NAME]
    found = await store.load(versions[-1].version)
    versions[-1] = replace(versions[-1], enabled=False)
    with pytest.raises(VaultForbidden, match="check that the version is enabled"):
        await found.key.sign(b"data")


async def test_no_enabled_version(store: VaultSigning, signing: Cloud) -> None:
    """So is it where every version is disabled."""
    versions = signing.vault.inventory.versions
    versions[CERTIFICATE_NAME] = [
        replace(each, enabled=False) for each in versions[CERTIFICATE_NAME]
    ]
    assert await store.versions() == []
    found = await store.load(None)
    with pytest.raises(VaultForbidden, match="check that the version is enabled"):
        await found.key.sign(b"data")


async def test_no_such_certificate(store: VaultSigning, signing: Cloud) -> None:
    """The text for a name that the vault does not know names the setting."""
    signing.vault.inventory.versions.clear()
    for refused in (store.versions(), store.load(None)):
        with pytest.raises(CertificateError, match="CertificateName: there is no certificate"):
            await refused


@pytest.mark.parametrize("missing", ["cer", "kid"])
async def test_a_pending_certificate(missing: str, store: VaultSigning, signing: Cloud) -> None:
    """A certificate that is still being issued is not ready to use."""
    vault = signing.vault
    bundle = vault.inventory.versions[CERTIFICATE_NAME][-1].certificate_bundle(vault.server.url)
    del bundle[missing]
    vault.server.faults.set(status=200, body=json.dumps(bundle))
    with pytest.raises(CertificateError, match=r"CertificateName: .* is not ready to use yet"):
        await store.load(None)


async def test_no_certificate_in_the_answer(store: VaultSigning, signing: Cloud) -> None:
    """A response without a certificate does not come from a vault."""
    vault = signing.vault
    bundle = vault.inventory.versions[CERTIFICATE_NAME][-1].certificate_bundle(vault.server.url)
    vault.server.faults.set(status=200, body=json.dumps({**bundle, "cer": "AAAA"}))
    with pytest.raises(EndpointDown, match="does not answer as a Key Vault does"):
        await store.load(None)


async def test_another_kind_of_key(store: VaultSigning, signing: Cloud, tmp_path: Path) -> None:
    """A certificate whose key PS256 cannot use is refused when it is read."""
    elliptic = x509.load_pem_x509_certificate(CertificateAuthority(tmp_path).path.read_bytes())
    signing.vault.inventory.add_version(CERTIFICATE_NAME, certificate=elliptic)
    with pytest.raises(CertificateError, match="needs an RSA key of 2048 bits or more"):
        await store.load(None)
