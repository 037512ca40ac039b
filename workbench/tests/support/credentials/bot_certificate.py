"""The bot's certificate in the local cloud: another in its place, or the same in a file."""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)

from bot_workbench.emulator.certificates import private_key_pem
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from bot_workbench.emulator.key_vault.inventory import VaultCertificate

Settings = dict[str, str]
Prepare = Callable[[Cloud, Path], Settings]
"""Changes a cloud that is started, may write into a folder, and returns the settings to change."""

_PASSWORD = BestAvailableEncryption(b"password")


def newest(cloud: Cloud) -> VaultCertificate:
    """The vault's newest version."""
    return cloud.vault.inventory.versions[CERTIFICATE_NAME][-1]


def put(cloud: Cloud, version: VaultCertificate) -> None:
    """Make this the vault's only version, and the only one that Entra knows."""
    cloud.vault.inventory.versions[CERTIFICATE_NAME] = [version]
    cloud.registration.certificates[:] = [version.certificate]


def damaged(key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    """A key, with another factor in place of its first: no signature can be made with it.

    It is even. Where it is odd, OpenSSL notices a wrong signature, and makes it without factors.
    """
    factor, length = key.private_numbers().p, key.key_size // 16
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    spoiled = der.replace(factor.to_bytes(length), (factor + 1).to_bytes(length))
    found = load_der_private_key(spoiled, password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


def thumbprint(version: VaultCertificate) -> str:
    """SHA-1 in upper-case hex, as the portal shows it."""
    return version.certificate.fingerprint(SHA1()).hex().upper()  # noqa: S303  # a name only


def in_file(name: str, content: Callable[[VaultCertificate], bytes]) -> Prepare:
    """The certificate is in a file of this name."""

    def prepare(cloud: Cloud, folder: Path) -> Settings:
        path = folder / name
        path.write_bytes(content(newest(cloud)))
        return file_settings(path)

    return prepare


def file_settings(path: Path) -> Settings:
    """The settings of a certificate in a file."""
    return {"CertificateVaultUrl": "", "CertificateName": "", "CertificatePath": str(path)}


def pem(version: VaultCertificate) -> bytes:
    """Key and certificate as PEM."""
    return private_key_pem(version.private_key) + public_pem(version)


def pem_with_password(version: VaultCertificate) -> bytes:
    """The same, with a key that nobody can read without asking."""
    key = version.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _PASSWORD)
    return key + public_pem(version)


def public_pem(version: VaultCertificate) -> bytes:
    """The certificate alone, as the portal offers it for download."""
    return version.certificate.public_bytes(Encoding.PEM)


def pfx(version: VaultCertificate) -> bytes:
    """Key and certificate as PFX without password."""
    return pkcs12.serialize_key_and_certificates(
        b"bot", version.private_key, version.certificate, None, NoEncryption()
    )


def pfx_with_password(version: VaultCertificate) -> bytes:
    """A PFX that nobody can open without asking."""
    return pkcs12.serialize_key_and_certificates(
        b"bot", version.private_key, version.certificate, None, _PASSWORD
    )
