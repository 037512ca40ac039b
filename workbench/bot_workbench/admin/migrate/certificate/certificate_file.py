"""CertificateFile: a certificate with its private key, which is imported into the vault."""

import base64
import datetime
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from auth.certificates.certificate import Certificate, rsa_key
from auth.certificates.private_key import LocalKey, certificate_from_bytes
from auth.errors import CertificateError
from bot_workbench.admin.migrate.thumbprints import of_certificate


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
            self._certificate = certificate_from_bytes(path.read_bytes())
            self._certificate.check((), now)
            self.key_bits = rsa_key(self._certificate.public).key_size
        except OSError as error:
            raise typer.BadParameter(f"--file: {path} cannot be read: {error.strerror}") from error
        except CertificateError as error:
            raise typer.BadParameter(f"--file: {path}: {error}") from error
        self.thumbprint = of_certificate(self._certificate.public).sha1

    def pfx(self) -> str:
        """The certificate with its key as PFX in base64: a secret."""
        archive = pkcs12.serialize_key_and_certificates(
            None, _private_key(self._certificate), self._certificate.public, None, NoEncryption()
        )
        return base64.b64encode(archive).decode()


def _private_key(certificate: Certificate) -> rsa.RSAPrivateKey:
    if not isinstance(certificate.key, LocalKey):
        raise TypeError("a file's key is in memory")
    return certificate.key.private_key
