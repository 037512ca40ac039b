"""Certificate: read from PEM and PFX, checked against pins and dates, named by thumbprints."""

import base64
import datetime
import hashlib
from itertools import permutations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from auth.certificate import (
    SMALLEST_KEY,
    Certificate,
    LocalKey,
    certificate_from_bytes,
    certificate_from_pem,
    certificate_from_pfx,
    certificate_from_text,
    rsa_key,
)
from auth.errors import CertificateError
from emulator.certificates import CertificateAuthority, private_key_pem, self_signed

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
    return Certificate(public, LocalKey(key))


@pytest.fixture(scope="module")
def small_key() -> rsa.RSAPrivateKey:
    """A key that is too short to be trusted."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # to be refused


def test_names(certificate: Certificate, public: x509.Certificate) -> None:
    """The portal's thumbprint is SHA-1 in hex, the assertion's SHA-256 in base64url."""
    der = public.public_bytes(Encoding.DER)
    assert certificate.thumbprint == hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    padded = certificate.x5t_s256 + "="
    assert base64.urlsafe_b64decode(padded) == hashlib.sha256(der).digest()
    assert "=" not in certificate.x5t_s256
    assert base64.b64decode(certificate.x5c, validate=True) == der
    assert certificate.expires_on == public.not_valid_after_utc.timestamp()


def test_what_a_log_shows(certificate: Certificate, public: x509.Certificate) -> None:
    """A certificate is shown by its thumbprint, and its dates; the key not at all."""
    starts, ends = public.not_valid_before_utc.date(), public.not_valid_after_utc.date()
    assert str(certificate) == f"{certificate.thumbprint} (valid {starts} to {ends})"
    assert repr(certificate) == f"Certificate(thumbprint={certificate.thumbprint})"
    assert repr(certificate.key) == str(certificate.key) == "LocalKey()"


async def test_a_signature(
    certificate: Certificate, public: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    """The local key makes PS256 signatures, with a salt as long as the digest: 32 bytes."""
    signature = await certificate.key.sign(b"data")
    ps256 = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    ours = public.public_key()
    assert isinstance(ours, rsa.RSAPublicKey)
    ours.verify(signature, b"data", ps256, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        ours.verify(signature, b"other data", ps256, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        other_key.public_key().verify(signature, b"data", ps256, hashes.SHA256())


def test_pem_in_any_order(
    key: rsa.RSAPrivateKey, public: x509.Certificate, issuer: x509.Certificate
) -> None:
    """Key, certificate and chain may stand in any order: ours is the one that fits the key."""
    for blocks in permutations([private_key_pem(key), pem(public), pem(issuer)]):
        found = certificate_from_pem(b"".join(blocks))
        assert found.public == public
        assert isinstance(found.key, LocalKey)
        assert found.key.private_key.private_numbers() == key.private_numbers()


def test_pfx_with_its_chain(
    key: rsa.RSAPrivateKey, public: x509.Certificate, issuer: x509.Certificate
) -> None:
    """A PFX may hold the chain too, and the certificate among it."""
    for content in (pfx(key, public, [issuer]), pfx(key, None, [issuer, public]), pfx(key, public)):
        found = certificate_from_pfx(content)
        assert found.public == public
        assert isinstance(found.key, LocalKey)
        assert found.key.private_key.private_numbers() == key.private_numbers()


def test_content(key: rsa.RSAPrivateKey, public: x509.Certificate) -> None:
    """A file and a secret are read for what they hold, PEM or PFX."""
    as_pem, as_pfx = private_key_pem(key) + pem(public), pfx(key, public)
    assert certificate_from_bytes(as_pem).public == public
    assert certificate_from_bytes(as_pfx).public == public
    assert certificate_from_text(as_pem.decode()).public == public
    assert certificate_from_text(base64.b64encode(as_pfx).decode()).public == public


def test_broken_pem(
    key: rsa.RSAPrivateKey,
    small_key: rsa.RSAPrivateKey,
    public: x509.Certificate,
    issuer: x509.Certificate,
) -> None:
    """A PEM without both halves, with a password, or with another key is refused: it says why."""
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
        (private_key_pem(small_key) + pem(self_signed("bot", small_key)), "of 2048 bits or more"),
    ]
    for content, reason in refused:
        with pytest.raises(CertificateError, match=reason):
            certificate_from_pem(content)


def test_broken_pfx(
    key: rsa.RSAPrivateKey, small_key: rsa.RSAPrivateKey, public: x509.Certificate
) -> None:
    """A PFX without both halves, with a password, or with another key is refused: it says why."""
    elliptic = ec.generate_private_key(ec.SECP256R1())
    no_rsa_key = "without an RSA private key.*exportable, or set CertificateKeyUse to SignInVault"
    refused: list[tuple[bytes, str]] = [
        (b"", "cannot be read"),
        (b"garbage", "cannot be read"),
        (pfx(key, public)[:-100], "cannot be read"),
        (pfx(key, public, None, BestAvailableEncryption(b"password")), "without a password"),
        (pfx(None, public), no_rsa_key),
        (pfx(elliptic, None), no_rsa_key),
        (pfx(key, None), "no certificate belongs to the private key"),
        (pfx(small_key, self_signed("bot", small_key)), "of 2048 bits or more"),
    ]
    for content, reason in refused:
        with pytest.raises(CertificateError, match=reason):
            certificate_from_pfx(content)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("my secret", "neither PEM nor base64"),
        ("sécret", "neither PEM nor base64"),
        ("Secret12", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_secrets_that_are_no_certificates(value: str, reason: str) -> None:
    """A plain secret is refused with the setting to correct, and its value is in no text."""
    with pytest.raises(CertificateError, match=f"{reason}.*: CertificateName must name") as caught:
        certificate_from_text(value)
    assert not value or value not in f"{caught.value} {caught.value.__cause__}"


def test_key_sizes(public: x509.Certificate, small_key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    """PS256 needs an RSA key of 2,048 bits: less, and another kind of key, is refused."""
    assert SMALLEST_KEY == 2048
    assert rsa_key(public) == public.public_key()
    elliptic = x509.load_pem_x509_certificate(CertificateAuthority(tmp_path).path.read_bytes())
    for refused in (self_signed("bot", small_key), elliptic):
        with pytest.raises(CertificateError, match="needs an RSA key of 2048 bits or more"):
            rsa_key(refused)


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
