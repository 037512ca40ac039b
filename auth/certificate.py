"""The bot's certificate and the key that signs for it: read, checked, named by thumbprints."""

import base64
import datetime
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from auth.errors import CertificateError

_PEM_MARK = "-----BEGIN"


SMALLEST_KEY = 2048
"""Bits (RFC 7518, 3.3 and 3.5)."""


class CertificateKey(Protocol):
    """The private key that belongs to a certificate, wherever it is."""

    async def sign(self, data: bytes) -> bytes:
        """The PS256 signature of `data` (RFC 7518, 3.5).

        Raises:
            SignInError: the key cannot be used now.
        """
        ...


@dataclass(frozen=True)
class LocalKey:
    """A private key in this process's memory.

    Attributes:
        private_key: kept out of `repr`, so that it cannot reach a log.
    """

    private_key: rsa.RSAPrivateKey = field(repr=False)

    async def sign(self, data: bytes) -> bytes:
        """The PS256 signature of `data`: about a millisecond of the event loop."""
        # The salt is as long as the digest.
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        return self.private_key.sign(data, pss, hashes.SHA256())


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate and its RSA key.

    Attributes:
        public: the certificate.
        key: signs for it.
    """

    public: x509.Certificate
    key: CertificateKey

    def __repr__(self) -> str:
        return f"Certificate(thumbprint={self.thumbprint})"

    def __str__(self) -> str:
        """For the log: thumbprint and dates."""
        starts, ends = self.public.not_valid_before_utc, self.public.not_valid_after_utc
        return f"{self.thumbprint} (valid {starts:%Y-%m-%d} to {ends:%Y-%m-%d})"

    @property
    def expires_on(self) -> float:
        """Seconds since the epoch."""
        return self.public.not_valid_after_utc.timestamp()

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
                f" (now {now:%Y-%m-%d %H:%M} UTC): wait, or set this machine's clock"
            )
        if now > ends:
            raise CertificateError(
                f"the certificate {self.thumbprint} expired on {ends:%Y-%m-%d %H:%M} UTC; renew it"
                " and upload the new public key to the app registration"
            )


def certificate_from_text(text: str) -> Certificate:
    """The certificate in what Key Vault hands out as a secret: PEM, or PFX in base64.

    Raises:
        CertificateError: it does not hold both halves.
    """
    if _PEM_MARK in text:
        return certificate_from_pem(text.encode())
    try:
        return certificate_from_pfx(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise CertificateError(
            "the vault's secret is neither PEM nor base64: CertificateName must name a certificate,"
            " not a secret"
        ) from error


def certificate_from_bytes(content: bytes) -> Certificate:
    """The certificate in a PEM or PFX file without password.

    Raises:
        CertificateError: it does not hold both halves.
    """
    if _PEM_MARK.encode() in content:
        return certificate_from_pem(content)
    return certificate_from_pfx(content)


def certificate_from_pem(content: bytes) -> Certificate:
    """The certificate in a PEM that holds the private key too.

    Raises:
        CertificateError: it does not.
    """
    try:
        # The check of a private key's numbers holds every thread up: 36 ms for 2,048 bits, 250 ms
        # for 4,096. Numbers that do not fit make signatures that Entra refuses.
        key = serialization.load_pem_private_key(
            content, password=None, unsafe_skip_rsa_key_validation=True
        )
        certificates = x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            "the PEM does not hold a certificate and its private key without password: a vault's"
            " key must be exportable, or set CertificateKeyUse to SignInVault; CertificatePath must"
            " name a file with both"
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
        raise CertificateError(
            "the PFX cannot be read without a password: CertificateName must name a certificate,"
            " not a secret, and CertificatePath a PEM or PFX file"
        ) from error
    main = [bundle.cert.certificate] if bundle.cert else []
    return _paired(bundle.key, main + [extra.certificate for extra in bundle.additional_certs])


def rsa_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    """The certificate's public key, when PS256 may use it.

    Raises:
        CertificateError: it is of another type, or too small.
    """
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise CertificateError(
            f"the certificate needs an RSA key of {SMALLEST_KEY} bits or more: make a new version"
            " with one (CertificateName, CertificatePath)"
        )
    return key


def _paired(key: object, certificates: list[x509.Certificate]) -> Certificate:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CertificateError(
            "the certificate comes without an RSA private key: make a version whose key is of type"
            " RSA and exportable, or set CertificateKeyUse to SignInVault"
        )
    # A chain may come with it, in any order: ours is the one that belongs to the key.
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            rsa_key(certificate)
            return Certificate(certificate, LocalKey(key))
    raise CertificateError(
        "no certificate belongs to the private key beside it: CertificatePath must hold both halves"
    )
