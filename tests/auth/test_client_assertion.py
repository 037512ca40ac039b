"""client_assertion: what PyJWT makes of it with the certificate, as Entra would."""

import base64
import time
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from auth.certificate import Certificate
from auth.client_assertion import client_assertion

CLIENT = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
ENDPOINT = "https://login.example/tenant/oauth2/v2.0/token"


@pytest.fixture
def certificate(key: rsa.RSAPrivateKey, public: x509.Certificate) -> Certificate:
    return Certificate(public, key)


def read(assertion: str, public: x509.Certificate) -> dict[str, Any]:
    """The claims, with the signature, audience, issuer, subject and dates checked."""
    key = public.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    claims: dict[str, Any] = jwt.decode(
        assertion,
        key,
        algorithms=["PS256"],
        audience=ENDPOINT,
        issuer=CLIENT,
        subject=CLIENT,
        options={"require": ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"]},
    )
    return claims


def test_claims(certificate: Certificate, public: x509.Certificate) -> None:
    """It is for the token endpoint, from and about the app, and lives ten minutes at most."""
    before = int(time.time())
    claims = read(client_assertion(certificate, CLIENT, ENDPOINT, send_x5c=False), public)
    assert set(claims) == {"aud", "exp", "iat", "iss", "jti", "nbf", "sub"}
    assert before <= claims["nbf"] == claims["iat"] <= time.time()
    assert 0 < claims["exp"] - claims["nbf"] <= 600


def test_header(certificate: Certificate, public: x509.Certificate) -> None:
    """PS256, with the SHA-256 thumbprint; the certificate itself stays out."""
    header = jwt.get_unverified_header(
        client_assertion(certificate, CLIENT, ENDPOINT, send_x5c=False)
    )
    digest = base64.urlsafe_b64encode(public.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": digest}


def test_x5c(certificate: Certificate, public: x509.Certificate) -> None:
    """Asked for, the certificate comes along, in base64."""
    assertion = client_assertion(certificate, CLIENT, ENDPOINT, send_x5c=True)
    read(assertion, public)
    [sent] = jwt.get_unverified_header(assertion)["x5c"]
    assert base64.b64decode(sent, validate=True) == public.public_bytes(Encoding.DER)


def test_each_is_new(certificate: Certificate, public: x509.Certificate) -> None:
    """No two assertions have the same `jti`."""
    made = [client_assertion(certificate, CLIENT, ENDPOINT, send_x5c=False) for _ in range(20)]
    assert len({read(assertion, public)["jti"] for assertion in made}) == 20


def test_another_key_does_not_verify(
    certificate: Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    """The signature is the certificate's key's own."""
    assertion = client_assertion(certificate, CLIENT, ENDPOINT, send_x5c=False)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(assertion, other_key.public_key(), algorithms=["PS256"], audience=ENDPOINT)
