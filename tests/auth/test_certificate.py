"""Certificate: read from PEM and PFX, checked against pins and dates, named by thumbprints."""

import base64
import datetime
import hashlib
from itertools import permutations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from auth.certificate import (
    PEM_CONTENT_TYPE,
    PFX_CONTENT_TYPE,
    Certificate,
    certificate_from_file,
    certificate_from_pem,
    certificate_from_pfx,
    certificate_from_secret,
)
from auth.errors import CertificateError
from emulator.certificates import private_key_pem, self_signed

P256 = bytes.fromhex("2a8648ce3d030107")
NO_CURVE = bytes.fromhex("2a8648ce3d03017f")
"""Object identifiers: a curve, and one of the same length that names none."""


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def pfx(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None,
    certificate: x509.Certificate | None,
    chain: list[x509.Certificate] | None = None,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    """A PFX, without password unless `encryption` has one."""
    return pkcs12.serialize_key_and_certificates(
        b"bot", key, certificate, chain, encryption or NoEncryption()
    )


def of_unknown_curve() -> bytes:
    """The PEM of a private key on a curve that `cryptography` does not know."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    body = base64.encodebytes(der.replace(P256, NO_CURVE))
    return b"-----BEGIN PRIVATE KEY-----\n" + body + b"-----END PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def issuer(other_key: rsa.RSAPrivateKey) -> x509.Certificate:
    """A certificate that comes along in a chain."""
    return self_signed("issuer", other_key)


@pytest.fixture
def certificate(key: rsa.RSAPrivateKey, public: x509.Certificate) -> Certificate:
    return Certificate(public, key)


def test_names(certificate: Certificate, public: x509.Certificate) -> None:
    """The portal's thumbprint is SHA-1 in hex, the assertion's SHA-256 in base64url."""
    der = public.public_bytes(Encoding.DER)
    assert certificate.thumbprint == hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    padded = certificate.x5t_s256 + "="
    assert base64.urlsafe_b64decode(padded) == hashlib.sha256(der).digest()
    assert "=" not in certificate.x5t_s256
    assert base64.b64decode(certificate.x5c, validate=True) == der


def test_repr_holds_no_key(certificate: Certificate) -> None:
    """What a log line may show of a certificate is its thumbprint."""
    assert repr(certificate) == f"Certificate(thumbprint={certificate.thumbprint})"


def test_pem_in_any_order(
    key: rsa.RSAPrivateKey, public: x509.Certificate, issuer: x509.Certificate
) -> None:
    """Key, certificate and chain may stand in any order: ours is the one that fits the key."""
    for blocks in permutations([private_key_pem(key), pem(public), pem(issuer)]):
        found = certificate_from_pem(b"".join(blocks))
        assert found.public == public
        assert found.private_key.private_numbers() == key.private_numbers()


def test_pfx_with_its_chain(
    key: rsa.RSAPrivateKey, public: x509.Certificate, issuer: x509.Certificate
) -> None:
    """A PFX may hold the chain too, and the certificate among it."""
    assert certificate_from_pfx(pfx(key, public, [issuer])).public == public
    assert certificate_from_pfx(pfx(key, public)).public == public


@pytest.mark.parametrize("name", ["bot.pem", "bot.pfx", "bot.whatever"])
def test_files(name: str, key: rsa.RSAPrivateKey, public: x509.Certificate, tmp_path: Path) -> None:
    """A file is read for what it holds, whatever its name."""
    path = tmp_path / name
    path.write_bytes(pfx(key, public) if "pfx" in name else private_key_pem(key) + pem(public))
    assert certificate_from_file(path).public == public


def test_missing_file(tmp_path: Path) -> None:
    """A file that cannot be read is named, with its setting."""
    path = tmp_path / "missing.pem"
    with pytest.raises(CertificateError, match="CertificatePath") as caught:
        certificate_from_file(path)
    assert str(path) in str(caught.value)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    """So is a folder."""
    with pytest.raises(CertificateError, match="CertificatePath"):
        certificate_from_file(tmp_path)


def test_broken_pem(
    key: rsa.RSAPrivateKey, public: x509.Certificate, issuer: x509.Certificate
) -> None:
    """A PEM without both halves, or with a password, is refused with the reason."""
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    elliptic = private_key_pem(ec.generate_private_key(ec.SECP256R1()))
    both_halves = "does not hold a certificate and its private key"
    refused: list[tuple[bytes, str]] = [
        (b"", both_halves),
        (b"garbage", both_halves),
        (b"-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n", both_halves),
        (pem(public), both_halves),
        (private_key_pem(key), both_halves),
        (encrypted + pem(public), "without password"),
        (of_unknown_curve() + pem(public), both_halves),
        (elliptic + pem(public), "without an RSA private key"),
        (private_key_pem(key) + pem(issuer), "no certificate belongs to the private key"),
    ]
    for content, reason in refused:
        with pytest.raises(CertificateError, match=reason):
            certificate_from_pem(content)


def test_broken_pfx(key: rsa.RSAPrivateKey, public: x509.Certificate) -> None:
    """A PFX without both halves, or with a password, is refused with the reason."""
    elliptic = ec.generate_private_key(ec.SECP256R1())
    refused: list[tuple[bytes, str]] = [
        (b"", "cannot be read"),
        (b"garbage", "cannot be read"),
        (pfx(key, public)[:-100], "cannot be read"),
        (pfx(key, public, None, BestAvailableEncryption(b"password")), "without a password"),
        (pfx(None, public), "without an RSA private key: make it exportable"),
        (pfx(elliptic, None), "without an RSA private key: make it exportable"),
        (pfx(key, None), "no certificate belongs to the private key"),
    ]
    for content, reason in refused:
        with pytest.raises(CertificateError, match=reason):
            certificate_from_pfx(content)


def test_secrets(key: rsa.RSAPrivateKey, public: x509.Certificate) -> None:
    """Key Vault's secret is read as its content type says."""
    text = (private_key_pem(key) + pem(public)).decode()
    assert certificate_from_secret(text, PEM_CONTENT_TYPE).public == public
    archive = base64.b64encode(pfx(key, public)).decode()
    assert certificate_from_secret(archive, PFX_CONTENT_TYPE).public == public


@pytest.mark.parametrize(
    ("value", "content_type", "reason"),
    [
        ("my password", "", "must name a certificate, not a secret"),
        ("my password", "text/plain", "must name a certificate, not a secret"),
        ("my password", PFX_CONTENT_TYPE, "not base64"),
        ("pässword", PFX_CONTENT_TYPE, "not base64"),
        ("", PFX_CONTENT_TYPE, "cannot be read"),
        ("my password", PEM_CONTENT_TYPE, "does not hold a certificate"),
        ("pässword", PEM_CONTENT_TYPE, "does not hold a certificate"),
    ],
)
def test_secrets_that_are_no_certificates(value: str, content_type: str, reason: str) -> None:
    """What is not a certificate is refused, and its value is in no text."""
    with pytest.raises(CertificateError, match=reason) as caught:
        certificate_from_secret(value, content_type)
    assert not value or value not in f"{caught.value} {caught.value.__cause__}"


def test_pins(certificate: Certificate) -> None:
    """A pinned certificate passes; another is refused with its thumbprint and the pins."""
    now = datetime.datetime.now(datetime.UTC)
    certificate.check((), now)
    certificate.check(("A" * 40, certificate.thumbprint), now)
    with pytest.raises(CertificateError) as caught:
        certificate.check(("B" * 40, "A" * 40), now)
    assert certificate.thumbprint in str(caught.value)
    assert f"allows only {'A' * 40}, {'B' * 40}" in str(caught.value)
    assert "CertificateThumbprint" in str(caught.value)


def test_dates(certificate: Certificate, public: x509.Certificate) -> None:
    """A certificate is valid from its first to its last second; outside of them it says which."""
    starts, ends = public.not_valid_before_utc, public.not_valid_after_utc
    second = datetime.timedelta(seconds=1)
    certificate.check((), starts)
    certificate.check((), ends)
    with pytest.raises(CertificateError, match=f"not valid before {starts:%Y-%m-%d %H:%M} UTC"):
        certificate.check((), starts - second)
    with pytest.raises(CertificateError, match=f"expired on {ends:%Y-%m-%d %H:%M} UTC"):
        certificate.check((), ends + second)
