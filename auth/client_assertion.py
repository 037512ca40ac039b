"""The client assertion: a short JWT with which an app registration signs in.

Microsoft reference: "Microsoft identity platform application authentication certificate
credentials": PS256 with the header `x5t#S256`, at most ten minutes.
"""

import base64
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from auth.certificate import Certificate

LIFETIME = 300
"""Seconds that an assertion is valid for."""


def client_assertion(
    certificate: Certificate, client_id: str, token_endpoint: str, send_x5c: bool
) -> str:
    """A signed assertion for one token request.

    Args:
        certificate: its key signs, its thumbprint names the key to Entra.
        client_id: GUID of the app registration.
        token_endpoint: URL that the assertion is for.
        send_x5c: add the certificate itself, for subject name and issuer trust.
    """
    header: dict[str, object] = {"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.x5t_s256}
    if send_x5c:
        header["x5c"] = [certificate.x5c]
    now = int(time.time())
    claims = {
        "aud": token_endpoint,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
    }
    signed = f"{_part(header)}.{_part(claims)}"
    # RFC 7518, 3.5: the salt is as long as the digest.
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    signature = certificate.private_key.sign(signed.encode(), pss, hashes.SHA256())
    return f"{signed}.{_base64url(signature)}"


def _part(value: object) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
