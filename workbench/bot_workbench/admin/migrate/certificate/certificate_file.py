"""CertificateFile: a certificate with its private key, which is imported into the vault."""

import base64
import datetime
from pathlib import Path

import typer
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)

from bot_workbench.admin.migrate.certificate.policy import KEY_BITS
from bot_workbench.admin.migrate.thumbprints import of_certificate

PEM = b"-----BEGIN"


class CertificateFile:
    """A PEM or PFX file without a password.

    Args:
        path: of the file.
        now: the time (UTC), at which the certificate must be valid.

    Attributes:
        path: of the file.
        thumbprint: SHA-1 of the certificate in upper-case hex.
        key_bits: size of the RSA key.

    Raises:
        typer.BadParameter: the file cannot be read, or the bot cannot use what is in it.
    """

    def __init__(self, path: Path, now: datetime.datetime) -> None:
        self.path = path
        try:
            self._key, self._certificate = _pair(path.read_bytes())
            _check_dates(self._certificate, now)
        except OSError as error:
            raise typer.BadParameter(f"--file: {path} cannot be read: {error.strerror}") from error
        except _UnusableFile as error:
            raise typer.BadParameter(f"--file: {path}: {error}") from error
        self.key_bits = self._key.key_size
        self.thumbprint = of_certificate(self._certificate).sha1

    def pfx(self) -> str:
        """The certificate with its key as PFX in base64: a secret."""
        archive = pkcs12.serialize_key_and_certificates(
            None, self._key, self._certificate, None, NoEncryption()
        )
        return base64.b64encode(archive).decode()


class _UnusableFile(Exception):
    """The bot cannot use what is in the file; the text says why."""


def _pair(content: bytes) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """The private key, and the certificate that belongs to it: a chain is in any order.

    Raises:
        _UnusableFile: there is no such pair, or the key is not RSA, or too small.
    """
    key, certificates = _of_pem(content) if PEM in content else _of_pfx(content)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _UnusableFile("it has no private key of type RSA")
    if key.key_size < KEY_BITS:
        raise _UnusableFile(
            f"its key has {key.key_size} bits, and the bot needs {KEY_BITS} or more"
        )
    for each in certificates:
        if each.public_key() == key.public_key():
            return key, each
    raise _UnusableFile("none of its certificates belongs to its private key")


def _of_pem(content: bytes) -> tuple[object, list[x509.Certificate]]:
    try:
        return load_pem_private_key(content, None), x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        reason = "a PEM file must have a certificate and its private key, without a password"
        raise _UnusableFile(reason) from error


def _of_pfx(content: bytes) -> tuple[object, list[x509.Certificate]]:
    try:
        bundle = pkcs12.load_pkcs12(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _UnusableFile("it is no PEM file, and no PFX file without a password") from error
    found = [bundle.cert, *bundle.additional_certs]
    return bundle.key, [each.certificate for each in found if each]


def _check_dates(certificate: x509.Certificate, now: datetime.datetime) -> None:
    """Check that the certificate is valid.

    Raises:
        _UnusableFile: it is not.
    """
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < starts:
        raise _UnusableFile(
            f"its certificate is not valid before {starts:%Y-%m-%d %H:%M} UTC: wait, or set this"
            " machine's clock"
        )
    if now > ends:
        raise _UnusableFile(f"its certificate expired on {ends:%Y-%m-%d %H:%M} UTC")
