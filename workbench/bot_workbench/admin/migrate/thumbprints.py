"""Thumbprints: one certificate, as the portals, Key Vault and assertions spell it."""

import base64
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from bot_workbench.admin.azure.json_object import JsonObject

SHA1_BYTES = 20


@dataclass(frozen=True)
class Thumbprints:
    """The spellings of a certificate's thumbprint.

    Attributes:
        sha1: SHA-1 in upper-case hex: the portals, `/api/identity`, Graph's customKeyIdentifier.
        x5t: SHA-1 in base64url: Key Vault, and the header of older assertions (RFC 7515, 4.1.7).
        x5t_s256: SHA-256 in base64url: the header of this project's assertions (RFC 7515, 4.1.8);
            empty if the certificate itself cannot be read.
    """

    sha1: str
    x5t: str
    x5t_s256: str = ""


def of_certificate(certificate: x509.Certificate) -> Thumbprints:
    """The thumbprints of a certificate."""
    sha1 = certificate.fingerprint(hashes.SHA1())  # noqa: S303  # an identifier, not a protection
    return Thumbprints(
        sha1.hex().upper(), _base64url(sha1), _base64url(certificate.fingerprint(hashes.SHA256()))
    )


def of_key_credential(credential: JsonObject) -> Thumbprints:
    """The thumbprints of an entry of Graph's `keyCredentials`; empty if they cannot be known.

    They are computed from `key`, which Graph returns if one object is read with `$select`.
    Otherwise they come from `customKeyIdentifier`, which is the SHA-1 unless whoever added the
    entry chose another value.
    """
    try:
        der = base64.b64decode(credential.get("key") or "")
        return of_certificate(x509.load_der_x509_certificate(der))
    except ValueError:
        return of_identifier(str(credential.get("customKeyIdentifier") or ""))


def of_identifier(identifier: str) -> Thumbprints:
    """The thumbprints for a SHA-1 in hex, base64, base64url, or base64 of its hex; else empty."""
    for decode in (bytes.fromhex, _from_base64url, _from_encoded_hex):
        try:
            sha1 = decode(identifier)
        except ValueError:
            continue
        if len(sha1) == SHA1_BYTES:
            return Thumbprints(sha1.hex().upper(), _base64url(sha1))
    return Thumbprints("", "")


def _from_encoded_hex(text: str) -> bytes:
    return bytes.fromhex(_from_base64url(text).decode("ascii"))


def _from_base64url(text: str) -> bytes:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)


def _base64url(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
