"""Certificate: the bot's certificate, its thumbprints, and the key that signs for it."""

import base64
import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.errors import CertificateError

MIN_KEY_BITS = 2048
"""RFC 7518, 3.3 and 3.5."""


class CertificateKey(Protocol):
    """The private key of a certificate, in this process or in a vault."""

    async def sign(self, data: bytes) -> bytes:
        """The PS256 signature of `data` (RFC 7518, 3.5).

        Raises:
            SignInError: the key cannot be used now.
        """
        ...


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate and its RSA key.

    Attributes:
        public: the certificate, with the public key.
        key: the private key, which signs.
    """

    public: x509.Certificate
    key: CertificateKey

    def __repr__(self) -> str:
        return f"Certificate(thumbprint={self.thumbprint})"

    def __str__(self) -> str:
        """The thumbprint and the dates, for the log."""
        starts, ends = self.public.not_valid_before_utc, self.public.not_valid_after_utc
        return f"{self.thumbprint} (valid {starts:%Y-%m-%d} to {ends:%Y-%m-%d})"

    @property
    def expires_on(self) -> float:
        """When the certificate expires, in seconds since the epoch."""
        return self.public.not_valid_after_utc.timestamp()

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the DER form in upper-case hex, as the portal shows it."""
        return self.public.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # an identifier, not a protection

    @property
    def x5t_s256(self) -> str:
        """The JWT header `x5t#S256`: SHA-256 of the DER form in base64url (RFC 7515, 4.1.8)."""
        digest = self.public.fingerprint(hashes.SHA256())
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def x5c(self) -> str:
        """The JWT header `x5c`'s first entry: the DER form in base64 (RFC 7515, 4.1.6)."""
        return base64.b64encode(self.public.public_bytes(serialization.Encoding.DER)).decode()

    def check(self, thumbprints: Collection[str], now: datetime.datetime) -> None:
        """Check that the certificate is allowed and valid.

        Args:
            thumbprints: SHA-1 thumbprints of the allowed certificates; empty allows any.
            now: the time at which the certificate must be valid.

        Raises:
            CertificateError: the certificate is not allowed or not valid; the text contains the
                thumbprints or the dates.
        """
        if thumbprints and self.thumbprint not in thumbprints:
            raise CertificateError(
                f"the certificate's thumbprint is {self.thumbprint}, but CertificateThumbprint"
                f" allows only {', '.join(sorted(thumbprints))}"
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


def rsa_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    """The certificate's public key, if PS256 can use it.

    Raises:
        CertificateError: the key is of another type, or too small.
    """
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise CertificateError(
            f"the certificate needs an RSA key of {MIN_KEY_BITS} bits or more: make a new version"
            " with one (CertificateName, CertificatePath)"
        )
    return key
