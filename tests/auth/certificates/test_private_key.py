"""LocalKey signs; PEM and PFX are read for a certificate and its key, or refused with the cure."""

import base64
from itertools import permutations

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

from auth.certificates.private_key import (
    LocalKey,
    certificate_from_bytes,
    certificate_from_pem,
    certificate_from_pfx,
    certificate_from_text,
)
from auth.errors import CertificateError
from bot_workbench.emulator.certificates import private_key_pem, self_signed
from tests.support.credentials.bot_certificate import damaged

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


async def test_a_signature(
    key: rsa.RSAPrivateKey, public: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    """The local key makes PS256 signatures, with a salt as long as the digest: 32 bytes."""
    signature = await LocalKey(key).sign(b"data")
    ps256 = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    ours = public.public_key()
    assert isinstance(ours, rsa.RSAPublicKey)
    ours.verify(signature, b"data", ps256, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        ours.verify(signature, b"other data", ps256, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        other_key.public_key().verify(signature, b"data", ps256, hashes.SHA256())


@pytest.fixture(scope="session")
def damaged_key(key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    """`key`, spoiled."""
    return damaged(key)


async def test_a_damaged_key(damaged_key: rsa.RSAPrivateKey, public: x509.Certificate) -> None:
    """A key whose numbers do not fit is read, and refused when it signs, with the cure."""
    found = certificate_from_pem(private_key_pem(damaged_key) + pem(public))
    with pytest.raises(CertificateError, match=r"key is damaged: make a new version .*Path"):
        await found.key.sign(b"data")


def test_what_a_log_shows(key: rsa.RSAPrivateKey) -> None:
    """A private key is not shown."""
    assert repr(LocalKey(key)) == str(LocalKey(key)) == "LocalKey()"


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
    no_rsa_key = "without an RSA private key.*exportable, or set BotCredential to SignInVault"
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
        ("my secret", "neither PEM nor a PFX in base64"),
        ("sécret", "neither PEM nor a PFX in base64"),
        ("Secret12", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_secrets_that_are_no_certificates(value: str, reason: str) -> None:
    """A plain secret is refused with the setting to correct, and its value is in no text."""
    with pytest.raises(CertificateError, match=f"{reason}.*: CertificateName must name") as caught:
        certificate_from_text(value)
    assert not value or value not in f"{caught.value} {caught.value.__cause__}"
