"""Certificate: checked against thumbprints and dates, named by its thumbprints."""

import base64
import datetime
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from auth.certificates.certificate import MIN_KEY_BITS, Certificate, rsa_key
from auth.certificates.private_key import LocalKey
from auth.errors import CertificateError
from bot_workbench.emulator.certificates import CertificateAuthority, self_signed


@pytest.fixture
def certificate(key: rsa.RSAPrivateKey, public: x509.Certificate) -> Certificate:
    return Certificate(public, LocalKey(key))


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


def test_key_sizes(public: x509.Certificate, small_key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    """PS256 needs an RSA key of 2,048 bits: less, and another kind of key, is refused."""
    assert MIN_KEY_BITS == 2048
    assert rsa_key(public) == public.public_key()
    elliptic = x509.load_pem_x509_certificate(CertificateAuthority(tmp_path).path.read_bytes())
    for refused in (self_signed("bot", small_key), elliptic):
        with pytest.raises(CertificateError, match="needs an RSA key of 2048 bits or more"):
            rsa_key(refused)


def test_pins(certificate: Certificate) -> None:
    """An allowed certificate passes; another is refused with both thumbprints."""
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
