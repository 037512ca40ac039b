"""Certificates whose private key is in this process's memory, read from PEM or PFX.

They come from Key Vault, which exports them, or from a file, for development.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from auth.certificates.certificate import Certificate, rsa_key
from auth.errors import CertificateError

_PEM_MARK = "-----BEGIN"


class CertificateFile:
    """A PEM or PFX file without a password, which holds one version at a time.

    Args:
        path: path of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # now, because the bot's folder becomes the working directory

    async def versions(self) -> Sequence[str]:
        """The one version in the file; its name changes when the file is rewritten.

        Raises:
            CertificateError: the file does not exist or cannot be read.
        """
        try:
            stat = await asyncio.to_thread(self._path.stat)
        except OSError as error:
            raise self._unreadable() from error
        return [f"{stat.st_mtime_ns} {stat.st_ino}"]

    async def load(self, version: str | None) -> Certificate:
        """The certificate that the file holds now.

        Raises:
            CertificateError: the file cannot be read, or lacks the certificate or its key.
        """
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise self._unreadable() from error
        return certificate_from_bytes(content)

    def _unreadable(self) -> CertificateError:
        return CertificateError(f"CertificatePath: {self._path} cannot be read")


@dataclass(frozen=True)
class LocalKey:
    """A private key in this process's memory.

    Attributes:
        private_key: not in `repr`, so that it cannot reach a log.
    """

    private_key: rsa.RSAPrivateKey = field(repr=False)

    async def sign(self, data: bytes) -> bytes:
        """The PS256 signature of `data`; blocks the event loop for about a millisecond.

        Raises:
            CertificateError: the key is damaged.
        """
        # PS256 demands a salt as long as the digest (RFC 7518, 3.5).
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        try:
            return self.private_key.sign(data, pss, hashes.SHA256())
        # OpenSSL raises this if the key's numbers are inconsistent, which loading does not check.
        except ValueError as error:
            raise CertificateError(
                "the private key is damaged: make a new version (CertificateName, CertificatePath)"
            ) from error


def certificate_from_text(text: str) -> Certificate:
    """The certificate in a Key Vault secret: PEM, or PFX in base64.

    Raises:
        CertificateError: the certificate or its private key is missing.
    """
    if _PEM_MARK in text:
        return certificate_from_pem(text.encode())
    try:
        return certificate_from_pfx(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise CertificateError(
            "the vault's secret is neither PEM nor a PFX in base64: CertificateName must name a"
            " certificate, not a secret"
        ) from error


def certificate_from_bytes(content: bytes) -> Certificate:
    """The certificate in a PEM or PFX file without a password.

    Raises:
        CertificateError: the certificate or its private key is missing.
    """
    if _PEM_MARK.encode() in content:
        return certificate_from_pem(content)
    return certificate_from_pfx(content)


def certificate_from_pem(content: bytes) -> Certificate:
    """The certificate in a PEM that holds the private key too.

    Raises:
        CertificateError: the PEM lacks the certificate or its private key.
    """
    try:
        # Checking the key's numbers would block all threads: 36 ms for 2,048 bits, 250 ms for
        # 4,096. If they are inconsistent, signing fails, or Entra refuses the signature.
        key = serialization.load_pem_private_key(
            content, password=None, unsafe_skip_rsa_key_validation=True
        )
        certificates = x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            "the PEM does not hold a certificate and its private key without password: a vault's"
            " key must be exportable, or set BotCredential to SignInVault; CertificatePath must"
            " name a file with both"
        ) from error
    return _paired(key, certificates)


def certificate_from_pfx(content: bytes) -> Certificate:
    """The certificate in a PFX (PKCS#12, RFC 7292) with an empty password.

    Raises:
        CertificateError: the PFX lacks the certificate or its private key.
    """
    try:
        bundle = pkcs12.load_pkcs12(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            "the PFX cannot be read without a password: CertificateName must name a certificate,"
            " not a secret, and CertificatePath a PEM or PFX file"
        ) from error
    main = [bundle.cert.certificate] if bundle.cert else []
    return _paired(bundle.key, main + [extra.certificate for extra in bundle.additional_certs])


def _paired(key: object, certificates: list[x509.Certificate]) -> Certificate:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CertificateError(
            "the certificate comes without an RSA private key: make a version whose key is of type"
            " RSA and exportable, or set BotCredential to SignInVault"
        )
    # The certificate chain may be included in any order; the bot's certificate matches the key.
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            rsa_key(certificate)
            return Certificate(certificate, LocalKey(key))
    raise CertificateError(
        "no certificate belongs to the private key beside it: CertificatePath must name a file with"
        " a matching pair"
    )
