"""EntraClient: signs an app registration in with an assertion instead of a secret."""

import asyncio
import time
from collections.abc import Awaitable, Callable
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
        requested_at, assertions = self._clock(), list[str]()
        application = await self._application(assertions)
        assertions.append(await assertion(application.authority.token_endpoint))
        response = await self._response(application, f"{audience}/.default")
        if "error" in response:
            raise self._refusal(response, audience, certificate)
        token, expires_on = response["access_token"], requested_at + response["expires_in"]
        if certificate is None:
            return AccessToken(token, expires_on)
        return AccessToken(token, expires_on, certificate.thumbprint, certificate.expires_on)

    async def _application(self, assertions: list[str]) -> Any:
        """A new MSAL application, which sends the assertion that is added to the list later.

        A new application costs one discovery request for each token request. A reused application
        would return MSAL's cached tokens and failures.
        """
        loop = asyncio.get_running_loop()
        make = partial(
            msal.ConfidentialClientApplication,
            self._client_id,
            authority=self._authority,
            client_credential={"client_assertion": lambda: assertions[0]},
            instance_discovery=False,
            http_client=MsalHttp(self._pool, loop, self._timeouts),
        )
        try:
            return await loop.run_in_executor(_THREADS, make)
        except _MALFORMED_RESPONSE_ERRORS as error:
            raise SignInError(
                f"{self._authority} is not a tenant to sign in at: check MicrosoftAppTenantId, and"
                " ToChannelFromBotLoginUrl if it is set"
            ) from error

    async def _response(self, application: Any, scope: str) -> dict[str, Any]:
        """The token endpoint's response: a token and its lifetime in seconds, or an error."""
        loop = asyncio.get_running_loop()
        try:
            response: dict[str, Any] = await loop.run_in_executor(
                _THREADS, application.acquire_token_for_client, [scope]
            )
            match response:
                case {"error": _}:
                    return response
                case {"access_token": str(token), "expires_in": life} if token:
                    return {"access_token": token, "expires_in": int(life)}
        except _MALFORMED_RESPONSE_ERRORS as error:
            raise self._malformed_response() from error
        raise self._malformed_response()

    def _malformed_response(self) -> EndpointDown:
        return EndpointDown(
            f"{self._authority} does not answer as Entra does: it sent neither token nor error"
        )

    def _refusal(
        self, response: dict[str, Any], audience: str, certificate: Certificate | None
    ) -> SignInError:
        code = _code(response)
        # Without a certificate, the same code means that a federated credential was refused.
        unknown = certificate is not None and code == UNKNOWN_CERTIFICATE
        cure = _UPLOAD if unknown else _CURES.get(code, _OTHER_REFUSAL)
        place = {"client_id": self._client_id, "authority": self._authority, "audience": audience}
        signed = f"signed with {certificate}; " if certificate else ""
        reason = str(response.get("error_description") or response.get("error"))
        quoted = repr(reason[:MAX_REASON_CHARACTERS])
        text = f"{cure.format_map(place)} (AADSTS{code}; {signed}{quoted})"
        return CertificateUnknown(text) if unknown else SignInError(text)


def _code(response: dict[str, Any]) -> int:
    """The number in Entra's AADSTS code; 0 if the response has none."""
    match response.get("error_codes"):
        case [int(code), *_]:
            return code
    return 0
