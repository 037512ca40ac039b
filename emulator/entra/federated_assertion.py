"""FederatedAssertions: the check of another issuer's token that a client shows as its assertion."""

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
"""Resource of the exchange, by cloud -> `aud` of the tokens for it.

Version 2.0 tokens name a resource by its application id. Federated credentials have the URI all the
same ("Configure an application to trust a managed identity"): Entra knows that both are one.
"""

NO_MATCH = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


def is_federated(assertion: str) -> bool:
    """Whether an assertion names a URL as its issuer; a client that signs itself names its id."""
    return "://" in str(_unverified(assertion).get("iss"))


class FederatedAssertions:
    """Accepts tokens that the registration's federated credentials trust.

    Follows Microsoft's "workload identity federation". An assertion may come several times, as
    identities' tokens do. Here each issuer's keys are those of the local Entra.

    Args:
        registration: whose federated credentials count.
        issuer: signs the tokens of managed identities.
    """

    def __init__(self, registration: Registration, issuer: TokenIssuer) -> None:
        self.registration = registration
        self._issuer = issuer

    def verify(self, assertion: str) -> None:
        """Pass when the registration trusts whom `assertion` is about.

        Args:
            assertion: a JWT in compact form.

        Raises:
            EntraError: it does not; with the code that Entra answers.
        """
        claims = _unverified(assertion)
        issuer, subject, audience = (claims.get(name) for name in ("iss", "sub", "aud"))
        # Entra takes one string for an audience, not an array.
        if not all(isinstance(claim, str) for claim in (issuer, subject, audience)):
            raise malformed()
        trusted = self._of_issuer(str(issuer))
        self._check_signature(assertion, str(issuer))
        _check_match(trusted, str(subject), str(audience))

    def _of_issuer(self, issuer: str) -> list[TrustedSubject]:
        if self.registration.app_type == "MultiTenant":
            # Such a bot signs in at the channels' tenant. Entra's code for that is not documented.
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
            almost = "case-insensitive comparison, but not with case-sensitive comparison."
            raise _no_match(7002138, "subject", subject, f"The subject matches with {almost}")
        raise _no_match(700213, "subject", subject)
    resources = {aud: resource for resource, aud in EXCHANGE_AUDIENCES.items()}
    resource = resources.get(audience, audience)
    if resource not in (known.audience for known in same_subject):
        raise _no_match(700212, "audience", audience)


def _unverified(assertion: str) -> dict[str, Any]:
    """The claims, not to be believed yet; none when it is no JWT."""
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
