"""EntraClient: signs an app registration in with an assertion instead of a secret.

Microsoft reference: "The OAuth 2.0 client credentials flow", "OAuth 2.0 On-Behalf-Of flow".
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msal

from auth.certificates.certificate import Certificate
from auth.errors import CertificateUnknown, EndpointDown, SignInError
from auth.outbound.msal_http import TIMEOUTS, MsalHttp
from auth.outbound.token_provider import AccessToken
from http_client.pool import HttpPool, Timeouts

Assertion = Callable[[str], Awaitable[str]]
"""Creates the client assertion (a JWT) for a token endpoint (URL)."""

UNKNOWN_CERTIFICATE = 700027
"""Entra's error code for a certificate that the app registration does not have (AADSTS700027)."""

_FEDERATION = (
    "add a federated credential to the app registration {client_id} with the issuer"
    " {authority}/v2.0, the principal id of the managed identity AZURE_CLIENT_ID as its subject,"
    " and the cloud's audience (api://AzureADTokenExchange in the public cloud)"
)

_UPLOAD = (
    "Entra does not accept the certificate: upload its public key to the app registration"
    " {client_id}, and check that the uploaded key has not expired"
)

# Entra's error codes (Microsoft reference: "Microsoft Entra authentication error codes").
_CURES = {
    700016: (
        "there is no app registration {client_id} in {authority}: check MicrosoftAppId,"
        " MicrosoftAppTenantId and MicrosoftAppType"
    ),
    90002: "there is no tenant {authority}: check MicrosoftAppTenantId",
    900023: "there is no tenant {authority}: check MicrosoftAppTenantId",
    700024: "Entra does not accept the assertion's dates: set this machine's clock",
    70021: _FEDERATION,
    70025: _FEDERATION,
    700211: _FEDERATION,
    700212: _FEDERATION,
    700213: _FEDERATION,
    7002138: _FEDERATION,
    700222: (
        "Entra exchanges only tokens of user-assigned identities in the same tenant: set"
        " AZURE_CLIENT_ID to the client id of such an identity"
    ),
    7000112: "the app registration {client_id} is disabled: enable it",
    7000229: "the tenant has no service principal for {client_id}: create one (enterprise app)",
    500011: (
        "{authority} does not know the audience {audience}: correct what the bot passes to"
        " services.token, or ToChannelFromBotOAuthScope if it is set; an API of your own needs a"
        " service principal (enterprise app) in that tenant"
    ),
    501051: (
        "the audience {audience} requires an assignment: assign one of its app roles to"
        " {client_id} (enterprise app)"
    ),
    53003: "a Conditional Access policy blocks the app registration {client_id}: exclude it",
}

_OTHER_REFUSAL = "Entra refused to sign in {client_id} at {authority}"

_SIGN_IN_AGAIN = "let the user sign in again"

_STRONGER_SIGN_IN = (
    "{audience} requires more of the user than this sign-in has, such as multi-factor"
    f" authentication or a managed device: {_SIGN_IN_AGAIN}, with an OAuth connection for it"
)

_WRONG_SCOPES = "Entra does not accept the scopes {audience}: all must be of one service"

# What differs for a token on behalf of a user. `audience` is the scopes.
_USER_CURES = _CURES | {
    65001: (
        "nobody has consented that {client_id} calls {audience} for this user: add the permission"
        " to the app registration, and grant admin consent (API permissions, in the portal)"
    ),
    500131: (
        "the user's token is not for {client_id}: let the OAuth connection ask for a scope of this"
        " app registration, such as api://botid-{client_id}/access_as_user"
    ),
    50013: f"Entra does not accept the user's token for {{client_id}}: {_SIGN_IN_AGAIN}",
    500133: f"the user's token has expired: {_SIGN_IN_AGAIN}",
    50076: _STRONGER_SIGN_IN,
    50079: _STRONGER_SIGN_IN,
    50158: _STRONGER_SIGN_IN,
    53003: "a Conditional Access policy keeps the user, or {client_id}, from {audience}",
    50105: "{audience} requires an assignment, which the user does not have",
    700016: (
        "there is no app registration {client_id} in the user's tenant, {authority}: a bot of"
        " another tenant must be MultiTenant, and needs that tenant's consent"
    ),
    500011: (
        "{authority} does not know a service of the scopes {audience}: correct them; an API of your"
        " own needs a service principal (enterprise app) in that tenant"
    ),
    70011: _WRONG_SCOPES,
    28000: _WRONG_SCOPES,
}

_OTHER_USER_REFUSAL = (
    "Entra refused {client_id} a token for {audience} on behalf of a user at {authority}"
)

_RESERVED_SCOPES = frozenset({"openid", "profile", "offline_access"})
"""The scopes that MSAL adds by itself and refuses from callers: for tokens that nobody gets here.
"""

Ask = Callable[[Any], dict[str, Any]]
"""Asks an MSAL application for a token; runs in a worker thread."""

# What MSAL raises for a response that is not what the protocol requires.
_MALFORMED_RESPONSE_ERRORS = (ValueError, LookupError, TypeError, AttributeError, OverflowError)

# Not the event loop's default executor, where the loop looks up host names: MSAL's threads wait for
# requests that need these lookups, and could occupy every thread.
_THREADS = ThreadPoolExecutor(thread_name_prefix="msal")

MAX_REASON_CHARACTERS = 400
"""The length up to which an error's text quotes Entra's own description, in characters."""


class EntraClient:
    """Signs one app registration in at one tenant.

    MSAL implements the protocol. It runs in a worker thread because it blocks. TokenCache, not
    MSAL, caches the tokens: MSAL can raise during an outage although its cached token is valid.

    Args:
        client_id: GUID of the app registration, the bot's MicrosoftAppId.
        authority: URL of the tenant to sign in at.
        pool: sends the requests.
        timeouts: time limits of each request.
        clock: returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        client_id: str,
        authority: str,
        pool: HttpPool,
        timeouts: Timeouts = TIMEOUTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client_id = client_id
        self._authority = authority
        self._pool = pool
        self._timeouts = timeouts
        self._clock = clock

    async def request_token(
        self, audience: str, assertion: Assertion, certificate: Certificate | None = None
    ) -> AccessToken:
        """A new token.

        Args:
            audience: URL or GUID, without `/.default`.
            assertion: authenticates the app registration; called once.
            certificate: the certificate that signs the assertion; None if none does.

        Raises:
            CertificateUnknown: Entra does not know the certificate.
            SignInError: Entra refused for another reason, or is unavailable; or `assertion` raised
                this error.
        """

        def ask(application: Any) -> dict[str, Any]:
            found: dict[str, Any] = application.acquire_token_for_client([f"{audience}/.default"])
            return found

        response = await self._response(self._authority, assertion, ask)
        if "error" in response:
            code, reason = _code(response), response.get("error_description") or response["error"]
            cure = _CURES.get(code, _OTHER_REFUSAL)
            quoted = repr(str(reason)[:MAX_REASON_CHARACTERS])
            raise self._refusal(code, cure, self._authority, audience, certificate, quoted)
        return _token(response, certificate)

    async def request_user_token(
        self,
        scopes: Sequence[str],
        user_token: str,
        assertion: Assertion,
        certificate: Certificate | None = None,
    ) -> AccessToken:
        """A new token on behalf of a user, from the user's tenant at this authority's host.

        Neither token is kept here, logged, or quoted in errors.

        Args:
            scopes: those of one service, such as https://graph.microsoft.com/User.Read.
            user_token: the user's token for this app registration (a JWT).
            assertion, certificate: as in `request_token`.

        Raises:
            CertificateUnknown, SignInError: as `request_token`.
        """
        authority = f"{self._authority.rpartition('/')[0]}/{_tenant_of(user_token)}"
        wanted = [scope for scope in scopes if scope not in _RESERVED_SCOPES]

        def ask(application: Any) -> dict[str, Any]:
            found: dict[str, Any] = application.acquire_token_on_behalf_of(user_token, wanted)
            return found

        response = await self._response(authority, assertion, ask)
        if "error" in response:
            code = _code(response)
            cure = _USER_CURES.get(code, _OTHER_USER_REFUSAL)
            # Entra's own words may name the user.
            trace = f"Entra's trace id {str(response.get('trace_id'))[:36]!r}"
            raise self._refusal(code, cure, authority, " ".join(wanted), certificate, trace)
        return _token(response, certificate)

    async def _response(self, authority: str, assertion: Assertion, ask: Ask) -> dict[str, Any]:
        """Entra's response: a token and its `expires_on` in seconds since the epoch, or an error.

        Args:
            authority: URL of the tenant that is asked.
            assertion: authenticates the app registration.
            ask: calls MSAL.
        """
        loop, requested_at, assertions = asyncio.get_running_loop(), self._clock(), list[str]()
        application = await self._application(authority, assertions)
        assertions.append(await assertion(application.authority.token_endpoint))
        try:
            response = await loop.run_in_executor(_THREADS, ask, application)
            match response:
                case {"error": _}:
                    return response
                case {"access_token": str(token), "expires_in": life} if token:
                    return {"access_token": token, "expires_on": requested_at + int(life)}
        except _MALFORMED_RESPONSE_ERRORS as error:
            raise _malformed_response(authority) from error
        raise _malformed_response(authority)

    async def _application(self, authority: str, assertions: list[str]) -> Any:
        """A new MSAL application, which sends the assertion that is added to the list later.

        A new application costs one discovery request for each token request. A reused application
        would return MSAL's cached tokens and failures.
        """
        loop = asyncio.get_running_loop()
        make = partial(
            msal.ConfidentialClientApplication,
            self._client_id,
            authority=authority,
            client_credential={"client_assertion": lambda: assertions[0]},
            instance_discovery=False,
            http_client=MsalHttp(self._pool, loop, self._timeouts),
            token_cache=_NoCache(),
            exclude_scopes=["profile", "offline_access"],
        )
        try:
            return await loop.run_in_executor(_THREADS, make)
        except _MALFORMED_RESPONSE_ERRORS as error:
            raise SignInError(
                f"{authority} is not a tenant to sign in at: check MicrosoftAppTenantId, and"
                " ToChannelFromBotLoginUrl if it is set"
            ) from error

    def _refusal(
        self,
        code: int,
        cure: str,
        authority: str,
        audience: str,
        certificate: Certificate | None,
        reason: str,
    ) -> SignInError:
        # Without a certificate, the same code means that a federated credential was refused.
        unknown = certificate is not None and code == UNKNOWN_CERTIFICATE
        place = {"client_id": self._client_id, "authority": authority, "audience": audience}
        signed = f"signed with {certificate}; " if certificate else ""
        named = (_UPLOAD if unknown else cure).format_map(place)
        text = f"{named} (AADSTS{code}; {signed}{reason})"
        return CertificateUnknown(text) if unknown else SignInError(text)


class _NoCache(msal.TokenCache):  # type: ignore[misc]  # untyped
    """Keeps no tokens: an application lives on until the next garbage collection."""

    def add(self, event: Any, now: Any = None) -> None:  # MSAL's signature
        """Do nothing, and log nothing: MSAL would log the event at DEBUG."""


def _token(response: Mapping[str, Any], certificate: Certificate | None) -> AccessToken:
    token, expires_on = response["access_token"], response["expires_on"]
    if certificate is None:
        return AccessToken(token, expires_on)
    return AccessToken(token, expires_on, certificate.thumbprint, certificate.expires_on)


def _malformed_response(authority: str) -> EndpointDown:
    return EndpointDown(
        f"{authority} does not answer as Entra does: it sent neither token nor error"
    )


def _tenant_of(user_token: str) -> str:
    """The tenant (GUID) that says that it has issued a token; Entra verifies that.

    A guest's token has the tenant that the user is a guest of: the one to ask.

    Raises:
        SignInError: it is not a token of Entra.
    """
    try:
        payload = user_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(uuid.UUID(claims["tid"]))
    # Without the cause, which could quote the token.
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise SignInError(
            "the user's token is not a token of Entra: let the OAuth connection's identity provider"
            " be Entra, and ask for a scope of the bot's app registration"
        ) from None


def _code(response: dict[str, Any]) -> int:
    """The number in Entra's AADSTS code; 0 if the response has none."""
    match response.get("error_codes"):
        case [int(code), *_]:
            return code
    return 0
