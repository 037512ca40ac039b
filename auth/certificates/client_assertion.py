"""The client assertion: a JWT with which an app registration signs in.

Microsoft reference: "Microsoft identity platform application authentication certificate
credentials": PS256 with the header `x5t#S256`, at most ten minutes.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable

from auth.certificates.certificate import Certificate

CLOCK_SKEW_SECONDS = LIFETIME_SECONDS = 300
"""How long before and after its creation an assertion is valid, because clocks differ."""


async def client_assertion(
    certificate: Certificate,
    token_endpoint: str,
    *,
    client_id: str,
    send_x5c: bool,
    clock: Callable[[], float] = time.time,
) -> str:
    """A signed assertion for one token request.

    Args:
        certificate: the certificate whose key signs; its thumbprint tells Entra which key this is.
        token_endpoint: URL of the token endpoint that the assertion is for.
        client_id: GUID of the app registration.
        send_x5c: whether to add the certificate itself, for subject name and issuer authentication.
        clock: returns the time in seconds since the epoch.

    Raises:
        SignInError: the key cannot be used now.
    """
    header: dict[str, object] = {"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.x5t_s256}
    if send_x5c:
        header["x5c"] = [certificate.x5c]
    now = int(clock())
    claims = {
        "aud": token_endpoint,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "iat": now - CLOCK_SKEW_SECONDS,
        "nbf": now - CLOCK_SKEW_SECONDS,
        "exp": now + LIFETIME_SECONDS,
    }
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_base64url(await certificate.key.sign(signed.encode()))}"


def _part(value: object) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
