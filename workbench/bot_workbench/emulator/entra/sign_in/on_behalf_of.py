"""UserAssertions: verifies the users' tokens that applications exchange.

Microsoft reference: "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import jwt

from bot_workbench.emulator.entra.authority import Authority
from bot_workbench.emulator.entra.errors import CLOCK_SKEW, EntraError
from bot_workbench.emulator.entra.registration import Registration, issuer_of
from bot_workbench.emulator.entra.sign_in.token_request import parameter
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"

GRAPH = "https://graph.microsoft.com"
"""The resource (URL) of scopes that name none, such as `User.Read`."""

IDENTITY_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
"""The scopes that are no resource's."""


@dataclass(frozen=True)
class Delegation:
    """The request of an application on behalf of a user.

    Attributes:
        assertion: the user's token for the application (a JWT).
        resource: what the new token is for (URL or GUID).
        permissions: the new token's `scp`: names of delegated permissions.
        scope: as asked for.
    """

    assertion: str
    resource: str
    permissions: str
    scope: str

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Self:
        """Read a request.

        Args:
            form: the body.

        Raises:
            EntraError: a parameter is missing or wrong.
        """
        if parameter(form, "requested_token_use") != "on_behalf_of":
            # Entra's code for another use is undocumented.
            raise EntraError(9002313, "invalid_request", "Request is malformed or invalid.")
        assertion, scope = parameter(form, "assertion"), parameter(form, "scope")
        asked = [each.rpartition("/") for each in scope.split() if each not in IDENTITY_SCOPES]
        resources = {resource or GRAPH for resource, _, _ in asked}
        if not resources:
            message = f"The provided value for scope {scope} is not valid."
            raise EntraError(70011, "invalid_scope", message)
        if len(resources) > 1:
            raise EntraError(
                28000,
                "invalid_scope",
                "Provided value for the input parameter scope is not valid because it contains more"
                f" than one resource. Scope {scope} is not valid.",
            )
        named = (name for _, _, name in asked)
        permissions = ("user_impersonation" if each == ".default" else each for each in named)
        return cls(assertion, resources.pop(), " ".join(permissions), scope)


class UserAssertions:
    """Accepts users' tokens that this Entra has issued for the application that shows them.

    Args:
        issuer: signs the tokens.
        authority: names the issuers.
    """

    def __init__(self, issuer: TokenIssuer, authority: Authority) -> None:
        self._issuer = issuer
        self._authority = authority

    def verify(self, asked: Delegation, registration: Registration, tenant: str) -> dict[str, Any]:
        """The claims of the user's token.

        Args:
            asked: has the token.
            registration: the application's.
            tenant: GUID of the tenant that is asked, which must have issued the token.

        Raises:
            EntraError: the token is not the application's, or not valid.
        """
        app_id = registration.app_id
        own = {app_id, f"api://{app_id}", f"api://botid-{app_id}", *registration.identifier_uris}
        issuers = (issuer_of(tenant), self._authority.issuer(tenant))
        claims = self._signed(asked.assertion)
        if claims["iss"] not in issuers:
            message = "Assertion is invalid. The issuer of the assertion does not match the tenant."
            raise _refusal(50013, message)
        if claims["aud"] not in own:
            raise _refusal(
                500131,
                "Assertion audience does not match the Client app presenting the assertion. The"
                f" audience in the assertion was '{claims['aud']}' and the expected audience is"
                f" 'api://{app_id}' or one of the Application Uris of this application with App ID"
                f" '{app_id}'({registration.display_name}). The downstream client must request a"
                " token for the expected audience (the application that made the OBO request) and"
                " this application should use that token as the assertion.",
            )
        if claims.get("idtyp") == "app":
            message = (
                f"Application '{app_id}' is not allowed to make application on-behalf-of calls."
            )
            raise _refusal(7000114, message)
        if asked.resource in registration.unconsented:
            raise _refusal(
                65001,
                f"The user or administrator has not consented to use the application with ID"
                f" '{app_id}' named '{registration.display_name}'. Send an interactive"
                " authorization request for this user and resource.",
            )
        return claims

    def _signed(self, assertion: str) -> dict[str, Any]:
        """The claims of a token of this Entra that has not expired."""
        try:
            kid = jwt.get_unverified_header(assertion).get("kid")
            key = next((key for key in self._issuer.keys if key.kid == kid), None)
            if key is None:
                message = "Assertion failed signature validation. [Reason - The key was not found.]"
                raise _refusal(50013, message)
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key.private_key.public_key(),
                algorithms=["RS256"],
                leeway=CLOCK_SKEW,
                options={"require": ["aud", "exp", "iss", "oid"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refusal(
                500133,
                "Assertion is not within its valid time range. Ensure that the access token is not"
                " expired before using it for user assertion, or request a new token.",
            ) from error
        except jwt.InvalidTokenError as error:
            raise _refusal(50013, "Assertion failed signature validation.") from error
        return claims


def _refusal(code: int, message: str) -> EntraError:
    return EntraError(code, "invalid_grant", message)
