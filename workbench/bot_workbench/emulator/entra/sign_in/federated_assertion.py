"""FederatedAssertions: verifies another issuer's token that a client sends as its assertion."""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.entra.credentials import (
    EXCHANGE_AUDIENCE,
    FEDERATED,
    TrustedSubject,
    UsedCredential,
)
from bot_workbench.emulator.entra.errors import (
    BAD_SIGNATURE,
    CLOCK_SKEW,
    EntraError,
    claims_refusal,
    malformed,
)
from bot_workbench.emulator.entra.registration import MULTI_TENANT, Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

EXCHANGE_AUDIENCES = {
    EXCHANGE_AUDIENCE: "fb60f99c-7a34-4190-8149-302f77469936",
    # The application ids in these clouds are not documented, so the tokens name the resource.
    "api://AzureADTokenExchangeUSGov": "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina": "api://AzureADTokenExchangeChina",
}
"""Resource (URI) of the token exchange in each cloud -> `aud` of the tokens for it.

Version 2.0 tokens have the resource's application id as `aud`, federated credentials its URI
("Configure an application to trust a managed identity"): Entra treats both as the same.
"""

NO_MATCH = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


def is_federated(assertion: str) -> bool:
    """Whether the issuer is a URL; in an assertion that the client signed it is the client id."""
    return "://" in str(_unverified(assertion).get("iss"))


class FederatedAssertions:
    """Accepts tokens that a registration's federated credentials trust.

    Follows Microsoft's "workload identity federation". An assertion may be used several times, as
    managed identities' tokens are. No keys are fetched: Entra's own signing keys are known, and
    those of the given issuers.

    Args:
        issuer: Entra's, which signs the tokens of managed identities.
        others: other issuers by URL; may change at any time.
    """

    def __init__(self, issuer: TokenIssuer, others: Mapping[str, TokenIssuer]) -> None:
        self._issuer = issuer
        self._others = others

    def verify(self, assertion: str, registration: Registration) -> UsedCredential:
        """The federated credential of a registration that trusts the subject of `assertion`.

        Args:
            assertion: a JWT in compact form.
            registration: the application's, with its federated credentials.

        Raises:
            EntraError: it does not; with the code that Entra responds with.
        """
        claims = _unverified(assertion)
        issuer, subject, audience = (claims.get(name) for name in ("iss", "sub", "aud"))
        # Entra accepts a single string as the audience, not an array.
        if not all(isinstance(claim, str) for claim in (issuer, subject, audience)):
            raise malformed()
        if registration.app_type == MULTI_TENANT and issuer not in self._others:
            # Such a bot signs in at the channels' tenant; Entra's code for that is undocumented.
            raise _refusal(
                700222, "AAD-issued tokens may not be used for federated identity flows."
            )
        trusted = _credentials_of(registration, str(issuer))
        self._check_signature(assertion, str(issuer))
        match = _match(trusted, str(subject), str(audience))
        if not registration.is_known(match):
            raise _not_known_yet(match)
        return UsedCredential(FEDERATED, match.key_id)

    def _check_signature(self, assertion: str, issuer: str) -> None:
        key = self._key(assertion, issuer)
        options: Any = {"require": ["exp", "iss", "sub", "aud"], "verify_aud": False}
        try:
            jwt.decode(assertion, key, algorithms=["RS256"], leeway=CLOCK_SKEW, options=options)
        except jwt.InvalidSignatureError as error:
            # Documented for client assertions in general, not for federated ones.
            message = f"Client assertion contains an invalid signature. [Reason - {BAD_SIGNATURE}]"
            raise _refusal(700027, message) from error
        except jwt.InvalidTokenError as error:
            raise claims_refusal(error) from error

    def _key(self, assertion: str, issuer: str) -> rsa.RSAPublicKey:
        kid = jwt.get_unverified_header(assertion).get("kid")
        keys = self._others.get(issuer, self._issuer).keys
        found = next((key for key in keys if key.kid == kid), None)
        if found is None:
            raise _refusal(
                7000272,
                f"The certificate with identifier {kid} used to sign the federated credential "
                f"could not be found in the metadata of identity provider {issuer}.",
            )
        return found.private_key.public_key()


def _credentials_of(registration: Registration, issuer: str) -> list[TrustedSubject]:
    credentials = registration.trusted_subjects()
    if not credentials:
        name = registration.app_id
        message = f"The client '{name}' has no configured federated identity credentials."
        raise _refusal(70025, message)
    trusted = [known for known in credentials if known.issuer == issuer]
    if not trusted:
        raise _no_match(700211, "issuer", issuer)
    return trusted


def _match(trusted: list[TrustedSubject], subject: str, audience: str) -> TrustedSubject:
    """Find the credential whose subject and audience are exactly these."""
    same_subject = [known for known in trusted if known.subject == subject]
    if not same_subject:
        if subject.casefold() in (known.subject.casefold() for known in trusted):
            detail = "case-insensitive comparison, but not with case-sensitive comparison."
            raise _no_match(7002138, "subject", subject, f"The subject matches with {detail}")
        raise _no_match(700213, "subject", subject)
    resources = {aud: resource for resource, aud in EXCHANGE_AUDIENCES.items()}
    resource = resources.get(audience, audience)
    for known in same_subject:
        if known.audience == resource:
            return known
    raise _no_match(700212, "audience", audience)


def _not_known_yet(credential: TrustedSubject) -> EntraError:
    """Entra's refusal until a new federated credential has reached all of its parts."""
    return EntraError(
        70021,
        "invalid_request",
        "No matching federated identity record found for presented assertion. "
        f"Assertion Issuer: '{credential.issuer}'. Assertion Subject: '{credential.subject}'. "
        f"Assertion Audience: '{credential.audience}'. "
        "https://docs.microsoft.com/en-us/azure/active-directory/develop/"
        "workload-identity-federation",
    )


def _unverified(assertion: str) -> dict[str, Any]:
    """The claims without any check; none when it is not a JWT."""
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims


def _no_match(code: int, claim: str, value: str, *more: str) -> EntraError:
    found = (
        f"No matching federated identity record found for presented assertion {claim} '{value}'."
    )
    return _refusal(code, " ".join((found, *more, NO_MATCH)))


def _refusal(code: int, message: str) -> EntraError:
    return EntraError(code, "invalid_client", message)
