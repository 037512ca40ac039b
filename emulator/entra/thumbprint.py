"""Thumbprints: how assertions and Key Vault name a certificate."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes


def base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def x5t(certificate: x509.Certificate) -> str:
    """SHA-1 of the certificate's DER in base64url (RFC 7515, section 4.1.7)."""
    # Not a security decision of ours: `x5t` is SHA-1 by definition.
    return base64url(certificate.fingerprint(hashes.SHA1()))  # noqa: S303


def x5t_s256(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER in base64url: `x5t#S256` (RFC 7515, section 4.1.8)."""
    return base64url(certificate.fingerprint(hashes.SHA256()))
