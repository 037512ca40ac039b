"""FederatedAssertions: verifies another issuer's token that a client sends as its assertion."""

from typing import Any

import jwt

from emulator.entra.errors import BAD_SIGNATURE, EntraError, claims_refusal, malformed
from emulator.entra.registration import EXCHANGE_AUDIENCE, Registration, TrustedSubject
from emulator.entra.token_issuer import IssuerKey, TokenIssuer

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
    """Accepts tokens that the registration's federated credentials trust.

    Follows Microsoft's "workload identity federation". An assertion may be used several times, as
    managed identities' tokens are. Every issuer's keys are those of the local Entra.

    Args:
        registration: the bot's, with its federated credentials.
        issuer: signs the tokens of managed identities.
    """

    def __init__(self, registration: Registration, issuer: TokenIssuer) -> None:
        self.registration = registration
        self._issuer = issuer

    def verify(self, assertion: str) -> None:
        """Pass when the registration trusts the subject of `assertion`.

        Args:
            assertion: a JWT in compact form.

        Raises:
            EntraError: it does not; with the code that Entra responds with.
        """
        claims = _unverified(assertion)
        issuer, subject, audience = (claims.get(name) for name in ("iss", "sub", "aud"))
        # Entra accepts a single string as the audience, not an array.
        if not all(isinstance(claim, str) for claim in (issuer, subject, audience)):
            raise malformed()
        trusted = self._credentials_of(str(issuer))
        self._check_signature(assertion, str(issuer))
        _check_match(trusted, str(subject), str(audience))

    def _credentials_of(self, issuer: str) -> list[TrustedSubject]:
        if self.registration.app_type == "MultiTenant":
            # Such a bot signs in at the channels' tenant; Entra's code for that is undocumented.
            raise _refusal(
                700222, "AAD-issued tokens may not be used for federated identity flows."
            )
        credentials = self.registration.federated_credentials
        if not credentials:
            name = self.registration.app_id
            message = f"The client '{name}' has no configured federated identity credentials."
            raise _refusal(70025, message)
        trusted = [known for known in credentials if known.issuer == issuer]
        if not trusted:
            raise _no_match(700211, "issuer", issuer)
        return trusted

    def _check_signature(self, assertion: str, issuer: str) -> None:
        key = self._key(assertion, issuer).private_key.public_key()
        options: Any = {"require": ["exp", "iss", "sub", "aud"], "verify_aud": False}
        try:
            jwt.decode(assertion, key, algorithms=["RS256"], options=options)
        except jwt.InvalidSignatureError as error:
            # Documented for client assertions in general, not for federated ones.
            message = f"Client assertion contains an invalid signature. [Reason - {BAD_SIGNATURE}]"
            raise _refusal(700027, message) from error
        except jwt.InvalidTokenError as error:
            raise claims_refusal(error) from error

    def _key(self, assertion: str, issuer: str) -> IssuerKey:
        kid = jwt.get_unverified_header(assertion).get("kid")
        found = next((key for key in self._issuer.keys if key.kid == kid), None)
        if found is None:
            raise _refusal(
                7000272,
                f"The certificate with identifier {kid} used to sign the federated credential "
                f"could not be found in the metadata of identity provider {issuer}.",
            )
        return found


def _check_match(trusted: list[TrustedSubject], subject: str, audience: str) -> None:
    """Find the credential whose subject and audience are exactly these."""
    same_subject = [known for known in trusted if known.subject == subject]
    if not same_subject:
        if subject.casefold() in (known.subject.casefold() for known in trusted):
            detail = "case-insensitive comparison, but not with case-sensitive comparison."
            raise _no_match(7002138, "subject", subject, f"The subject matches with {detail}")
        raise _no_match(700213, "subject", subject)
    resources = {aud: resource for resource, aud in EXCHANGE_AUDIENCES.items()}
    resource = resources.get(audience, audience)
    if resource not in (known.audience for known in same_subject):
        raise _no_match(700212, "audience", audience)


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
