"""Issuance: the certificates that a vault signs itself, and what their keys may be used for."""

import base64
import calendar
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.key_vault.policy import (
    KEY_USAGES,
    CertificatePolicy,
    distinguished_name,
    object_identifier,
)

BACKDATED = datetime.timedelta(minutes=10)
"""The time before its creation from which a certificate of Key Vault's is valid."""

_ANY_USE = ("sign", "verify", "wrapKey", "unwrapKey", "encrypt", "decrypt")
_OPERATIONS = {
    "digital_signature": ("sign", "verify"),
    "content_commitment": ("sign", "verify"),
    "key_cert_sign": ("sign", "verify"),
    "crl_sign": ("sign", "verify"),
    "key_encipherment": ("wrapKey", "unwrapKey"),
    "data_encipherment": ("encrypt", "decrypt"),
}
"""Key operations by key usage (Key Vault's documentation, composition of a certificate)."""


def self_issued(policy: CertificatePolicy, key: rsa.RSAPrivateKey) -> x509.Certificate:
    """A certificate of the issuer Self, valid from now as long as the policy says."""
    subject = distinguished_name(policy.subject)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(_months_later(now, policy.validity_months))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    for extension, critical in _extensions(policy):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def signing_request(policy: CertificatePolicy, key: rsa.RSAPrivateKey) -> str:
    """The certificate signing request (PKCS#10) in base64."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        distinguished_name(policy.subject)
    )
    for extension, critical in _extensions(policy):
        builder = builder.add_extension(extension, critical=critical)
    request = builder.sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def key_operations(certificate: x509.Certificate) -> list[str]:
    """The allowed uses of the key, by the certificate's key usage; all, if it has none."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return list(_ANY_USE)
    allowed = {each for name in _OPERATIONS if getattr(usage, name) for each in _OPERATIONS[name]}
    return [operation for operation in _ANY_USE if operation in allowed]


def months_of(certificate: x509.Certificate) -> int:
    """The months for which a certificate is valid, a part of a month as a whole one."""
    days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
    return max(1, -(-days * 12 // 365))


def _extensions(policy: CertificatePolicy) -> list[tuple[x509.ExtensionType, bool]]:
    usage = {KEY_USAGES[name]: True for name in policy.key_usage}
    if not usage.get("key_agreement"):
        # These two mean something beside keyAgreement only (RFC 5280, section 4.2.1.3).
        usage |= {"encipher_only": False, "decipher_only": False}
    flags = {name: usage.get(name, False) for name in KEY_USAGES.values()}
    ekus = [object_identifier(eku) for eku in policy.ekus]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.KeyUsage(**flags), True),
        (x509.ExtendedKeyUsage(ekus), False),
        (x509.BasicConstraints(ca=False, path_length=None), False),
    ]
    if policy.dns_names:
        names = [x509.DNSName(name) for name in policy.dns_names]
        extensions.append((x509.SubjectAlternativeName(names), False))
    return extensions


def _months_later(start: datetime.datetime, months: int) -> datetime.datetime:
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))
