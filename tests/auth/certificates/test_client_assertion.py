"""client_assertion: what PyJWT makes of it with the certificate, as Entra would."""

import base64
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from auth.certificates.certificate import Certificate
from auth.certificates.private_key import LocalKey
from auth.errors import EndpointDown
from auth.outbound.client_certificate import client_assertion

CLIENT = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
ENDPOINT = "https://login.example/tenant/oauth2/v2.0/token"


class BrokenKey:
    """A key in a vault that is down."""

    async def sign(self, data: bytes) -> bytes:
        """Nothing can be signed."""
        raise EndpointDown("the vault does not answer")


@pytest.fixture
def certificate(key: rsa.RSAPrivateKey, public: x509.Certificate) -> Certificate:
    return Certificate(public, LocalKey(key))


async def made(
    certificate: Certificate, send_x5c: bool = False, clock: Callable[[], float] = time.time
) -> str:
    """An assertion for the endpoint."""
    return await client_assertion(
        certificate, ENDPOINT, client_id=CLIENT, send_x5c=send_x5c, clock=clock
    )


def read(assertion: str, public: x509.Certificate) -> dict[str, Any]:
    """The claims, with the signature, audience, issuer, subject and dates checked."""
    key = public.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    claims: dict[str, Any] = jwt.decode(
        assertion, key, algorithms=["PS256"], audience=ENDPOINT, issuer=CLIENT, subject=CLIENT
    )
    return claims


async def test_claims(certificate: Certificate, public: x509.Certificate) -> None:
    """It is for the token endpoint, from and about the app, five minutes old and good for five."""
    now = int(time.time())
    claims = read(await made(certificate, clock=lambda: now), public)
    assert claims.keys() == {"aud", "exp", "iat", "iss", "jti", "nbf", "sub"}
    assert (claims["nbf"], claims["iat"], claims["exp"]) == (now - 300, now - 300, now + 300)


async def test_header(certificate: Certificate, public: x509.Certificate) -> None:
    """PS256, with the SHA-256 thumbprint; the certificate itself stays out."""
    header = jwt.get_unverified_header(await made(certificate))
    digest = base64.urlsafe_b64encode(public.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": digest}


async def test_x5c(certificate: Certificate, public: x509.Certificate) -> None:
    """Asked for, the certificate comes along, in base64."""
    assertion = await made(certificate, send_x5c=True)
    read(assertion, public)
    [sent] = jwt.get_unverified_header(assertion)["x5c"]
    assert base64.b64decode(sent, validate=True) == public.public_bytes(Encoding.DER)


async def test_each_is_new(certificate: Certificate, public: x509.Certificate) -> None:
    """No two assertions have the same `jti`."""
    assertions = [await made(certificate) for _ in range(20)]
    assert len({read(assertion, public)["jti"] for assertion in assertions}) == 20


async def test_compact_form(certificate: Certificate) -> None:
    """Its three parts are base64url without padding (RFC 7515, 2)."""
    assertion = await made(certificate, send_x5c=True)
    assert assertion.count(".") == 2
    assert not set("=+/") & set(assertion)


async def test_a_key_that_cannot_sign(public: x509.Certificate) -> None:
    """What the key raises comes through as it is."""
    with pytest.raises(EndpointDown, match="the vault does not answer"):
        await made(Certificate(public, BrokenKey()))
