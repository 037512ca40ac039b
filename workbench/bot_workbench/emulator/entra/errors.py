"""EntraError: a refusal by the token endpoint, with its AADSTS code."""

import datetime
import uuid

import jwt
from jwt.exceptions import InvalidSubjectError

CLAIM_REFUSALS: dict[type[jwt.InvalidTokenError], tuple[int, str]] = {
    jwt.ExpiredSignatureError: (700024, "Client assertion is not within its valid time range."),
    jwt.ImmatureSignatureError: (700024, "Client assertion is not within its valid time range."),
    jwt.InvalidAudienceError: (
        700023,
        "Client assertion audience claim does not match Realm issuer.",
    ),
    jwt.InvalidIssuerError: (
        700021,
        "Client assertion application identifier doesn't match 'client_id' parameter.",
    ),
    InvalidSubjectError: (
        50048,
        "Subject must match the issuer claim in the client assertion.",
    ),
}
"""AADSTS code and message by PyJWT's error; any other error is AADSTS50027, malformed."""

CLOCK_SKEW = 5
"""Seconds by which a client's clock may differ in an assertion's times (RFC 7519, 4.1.4 and 4.1.5).

How much Entra allows is not documented; Microsoft's own validation of tokens allows 300 seconds
(Microsoft.IdentityModel, DefaultClockSkew). MSAL for Node.js needs one: it rounds the time up.
"""

BAD_SIGNATURE = "Key was found, but use of the key to verify the signature failed."
"""A reason of AADSTS700027."""


class EntraError(Exception):
    """One refusal, in Entra's own wording where clients read it, else shortened.

    Args:
        code: the number behind `AADSTS` (Microsoft Entra error codes reference).
        error: the OAuth 2.0 error (RFC 6749, section 5.2).
        message: what went wrong, without the code.
    """

    def __init__(self, code: int, error: str, message: str) -> None:
        super().__init__(f"AADSTS{code}: {message}")
        self.code = code
        self.error = error

    @property
    def status(self) -> int:
        """HTTP status: 401 when the client is not authenticated, else 400."""
        return 401 if self.error == "invalid_client" else 400

    def body(self, authority: str, correlation_id: str) -> dict[str, object]:
        """The response's JSON.

        Args:
            authority: base URL of the token endpoint.
            correlation_id: GUID, the request's `client-request-id` if it has one.
        """
        trace_id = str(uuid.uuid4())
        timestamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"{self} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{authority}/error?code={self.code}",
        }


def claims_refusal(error: jwt.InvalidTokenError) -> EntraError:
    """Entra's refusal of a token whose claims PyJWT refused."""
    refusal = CLAIM_REFUSALS.get(type(error))
    if refusal is None:
        return malformed()
    code, message = refusal
    return EntraError(code, "invalid_client", message)


def malformed() -> EntraError:
    """Entra's refusal of something that is not a JWT, or not a complete one."""
    return EntraError(50027, "invalid_client", "JWT token is invalid or malformed.")


def invalid_secret(app_id: str) -> EntraError:
    """Entra's refusal of a client secret that the application does not have."""
    return EntraError(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client "
        f"secret value, not the client secret ID, for a secret added to app '{app_id}'.",
    )


def expired_secret(app_id: str) -> EntraError:
    """Entra's refusal of a client secret whose end date has passed."""
    return EntraError(
        7000222,
        "invalid_client",
        f"The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal "
        "to create new keys for your app: https://aka.ms/NewClientSecret, or consider using "
        "certificate credentials for added security: https://aka.ms/certCreds.",
    )
