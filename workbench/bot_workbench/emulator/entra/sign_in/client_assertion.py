"""CertificateAssertions: verifies assertions that a client signed with its certificate."""

import base64
import datetime
import time
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import x5t, x5t_s256
from bot_workbench.emulator.entra.credentials import CERTIFICATE, KeyCredential, UsedCredential
from bot_workbench.emulator.entra.errors import (
    BAD_SIGNATURE,
    CLOCK_SKEW,
    EntraError,
    claims_refusal,
    malformed,
)
from bot_workbench.emulator.entra.registration import Registration


class Signature(NamedTuple):
    """One algorithm's identification of the certificate: header parameter, and its value."""

    parameter: str
    thumbprint: Callable[[x509.Certificate], str]


SIGNATURES = {
    "PS256": Signature("x5t#S256", x5t_s256),
    "RS256": Signature("x5t", x5t),
}


class CertificateAssertions:
    """Accepts assertions signed with a certificate of a registration (RFC 7523, section 3).

    Follows Microsoft's reference "application authentication certificate credentials". The lifetime
    is not limited: the reference recommends 5 to 10 minutes and refuses none, and azure-identity
    uses thirty.

    Attributes:
        single_use: each `jti` is accepted once. Entra is not that strict: MSAL reuses an assertion
            that it signed itself for up to nine minutes, which needs False.
    """

    def __init__(self) -> None:
        self.single_use = True
        self._used: dict[str, float] = {}

    def verify(
        self, assertion: str, registration: Registration, audiences: Collection[str]
    ) -> UsedCredential:
        """The certificate by which `assertion` proves that the caller is an application.

        Args:
            assertion: a JWT in compact form.
            registration: the application's, with its certificates.
            audiences: the accepted `aud` claims (URLs).

        Raises:
            EntraError: it does not; with the code that Entra responds with.
        """
        signature, thumbprint, algorithm = self._header(assertion)
        credential, key = _key(registration, signature, thumbprint)
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key,
                algorithms=[algorithm],
                audience=audiences,
                leeway=CLOCK_SKEW,
                issuer=registration.app_id,
                subject=registration.app_id,
                options={"require": ["aud", "exp", "iss", "jti", "sub"]},
            )
        except jwt.InvalidSignatureError as error:
            raise _unusable_key(registration, BAD_SIGNATURE, thumbprint) from error
        except jwt.InvalidTokenError as error:
            raise claims_refusal(error) from error
        # PyJWT accepts an array with our URL in it; Entra accepts a single string only.
        if not isinstance(claims["aud"], str):
            raise malformed()
        self._check_single_use(str(claims["jti"]), float(claims["exp"]))
        return UsedCredential(CERTIFICATE, credential.key_id)

    def _check_single_use(self, jti: str, expires: float) -> None:
        now = time.time()
        self._used = {known: end for known, end in self._used.items() if end > now}
        if self.single_use and jti in self._used:
            raise EntraError(50027, "invalid_client", "The assertion was used before.")
        self._used[jti] = expires

    @staticmethod
    def _header(assertion: str) -> tuple[Signature, str, str]:
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError as error:
            raise malformed() from error
        algorithm = str(header.get("alg"))
        signature = SIGNATURES.get(algorithm)
        if signature is None:
            raise EntraError(
                5002738,
                "invalid_client",
                f"Invalid JWT token. '{algorithm}' is not a supported signature algorithm. "
                f"Supported signing algorithms are: '{', '.join(SIGNATURES)}'",
            )
        thumbprint = header.get(signature.parameter)
        if not isinstance(thumbprint, str):
            raise EntraError(
                5002723,
                "invalid_client",
                "Invalid JWT token. No certificate thumbprint specified in token header.",
            )
        return signature, thumbprint.rstrip("="), algorithm


def _key(
    registration: Registration, signature: Signature, thumbprint: str
) -> tuple[KeyCredential, rsa.RSAPublicKey]:
    for certificate in registration.known_certificates():
        key = certificate.public_key()
        if signature.thumbprint(certificate) == thumbprint and isinstance(key, rsa.RSAPublicKey):
            credential = registration.key_credential(certificate)
            _check_period(registration, credential, thumbprint)
            return credential, key
    raise _unusable_key(registration, "The key was not found.", thumbprint)


def _check_period(registration: Registration, credential: KeyCredential, thumbprint: str) -> None:
    start, end = credential.start, credential.end
    now = datetime.datetime.fromtimestamp(registration.clock(), datetime.UTC)
    found = f"Found key 'Start={start:%m/%d/%Y %H:%M:%S}, End={end:%m/%d/%Y %H:%M:%S}'"
    if now > end:
        raise _unusable_key(registration, "The key used is expired.", thumbprint, found)
    if now < start:
        # Entra's wording for this case is not documented.
        raise _unusable_key(registration, "The key used is not valid yet.", thumbprint, found)


def _unusable_key(
    registration: Registration, reason: str, thumbprint: str, *details: str
) -> EntraError:
    key = f"Thumbprint of key used by client: '{_hexadecimal(thumbprint)}'"
    application = f"see the configured keys of app Id '{registration.app_id}'"
    listed = ", ".join([f"Reason - {reason}", key, *details, application])
    message = f"Client assertion contains an invalid signature. [{listed}]"
    return EntraError(700027, "invalid_client", message)


def _hexadecimal(thumbprint: str) -> str:
    """In the form of Entra's messages; a value that is not base64url stays as it is."""
    try:
        return base64.urlsafe_b64decode(thumbprint + "==").hex().upper()
    except ValueError:
        return thumbprint
