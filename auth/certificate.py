"""The bot's certificate with its private key: read, checked, named by its thumbprints."""

import base64
import datetime
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from auth.errors import CertificateError

PFX_CONTENT_TYPE = "application/x-pkcs12"
PEM_CONTENT_TYPE = "application/x-pem-file"


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate and its RSA private key.

    Attributes:
        public: the certificate.
        private_key: kept out of `repr`, so that it cannot reach a log.
    """

    public: x509.Certificate
    private_key: rsa.RSAPrivateKey

    def __repr__(self) -> str:
        return f"Certificate(thumbprint={self.thumbprint})"

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the DER form in upper-case hex, as the portal shows it."""
        return self.public.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # a name only

    @property
    def x5t_s256(self) -> str:
        """The JWT header `x5t#S256`: SHA-256 of the DER form in base64url (RFC 7515, 4.1.8)."""
        digest = self.public.fingerprint(hashes.SHA256())
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def x5c(self) -> str:
        """The JWT header `x5c`'s first entry: the DER form in base64 (RFC 7515, 4.1.6)."""
        return base64.b64encode(self.public.public_bytes(serialization.Encoding.DER)).decode()

    def check(self, pins: Collection[str], now: datetime.datetime) -> None:
        """Pass when the certificate is pinned (or nothing is) and valid at `now`.

        Raises:
            CertificateError: it is not; the text has the thumbprints or the dates.
        """
        if pins and self.thumbprint not in pins:
            raise CertificateError(
                f"the certificate's thumbprint is {self.thumbprint}, but CertificateThumbprint"
                f" allows only {', '.join(sorted(pins))}"
            )
        starts, ends = self.public.not_valid_before_utc, self.public.not_valid_after_utc
        if now < starts:
            raise CertificateError(
                f"the certificate {self.thumbprint} is not valid before {starts:%Y-%m-%d %H:%M} UTC"
                f" (now {now:%Y-%m-%d %H:%M} UTC)"
            )
        if now > ends:
            raise CertificateError(
                f"the certificate {self.thumbprint} expired on {ends:%Y-%m-%d %H:%M} UTC; renew it"
                " and upload the new public key to the app registration"
            )


def certificate_from_secret(value: str, content_type: str) -> Certificate:
    """The certificate in a Key Vault secret: base64 PFX or PEM, as its content type says.

    Raises:
        CertificateError: the content type is another, or the value does not hold both halves.
    """
    if content_type == PEM_CONTENT_TYPE:
        return certificate_from_pem(value.encode())
    if content_type != PFX_CONTENT_TYPE:
        raise CertificateError(
            f"the vault's secret has content type {content_type!r}, not a certificate's:"
            " CertificateName must name a certificate, not a secret"
        )
    try:
        return certificate_from_pfx(base64.b64decode(value, validate=True))
    except ValueError as error:
        raise CertificateError("the vault's secret is not base64") from error


def certificate_from_file(path: Path) -> Certificate:
    """The certificate in a PEM or PFX file without password.

    Raises:
        CertificateError: the file cannot be read, or does not hold both halves.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CertificateError(f"CertificatePath: {path} cannot be read") from error
    if b"-----BEGIN" in content:
        return certificate_from_pem(content)
    return certificate_from_pfx(content)


def certificate_from_pem(content: bytes) -> Certificate:
    """The certificate in a PEM that holds the private key too.

    Raises:
        CertificateError: it does not.
    """
    try:
        key = serialization.load_pem_private_key(content, password=None)
        certificates = x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            "the PEM does not hold a certificate and its private key without password"
        ) from error
    return _paired(key, certificates)


def certificate_from_pfx(content: bytes) -> Certificate:
    """The certificate in a PFX (PKCS#12, RFC 7292) with an empty password.

    Raises:
        CertificateError: it does not hold the certificate and its private key.
    """
    try:
        bundle = pkcs12.load_pkcs12(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("the PFX cannot be read without a password") from error
    main = [bundle.cert.certificate] if bundle.cert else []
    return _paired(bundle.key, main + [extra.certificate for extra in bundle.additional_certs])


def _paired(key: object, certificates: list[x509.Certificate]) -> Certificate:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CertificateError(
            "the certificate comes without an RSA private key: make it exportable, key type RSA"
        )
    # A chain may come with it, in any order: ours is the one that belongs to the key.
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            return Certificate(certificate, key)
    raise CertificateError("no certificate belongs to the private key beside it")
