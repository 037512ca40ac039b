"""Entra: signs an app registration in, with an assertion in place of a secret."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msal

from auth.certificates.certificate import Certificate
from auth.errors import CertificateUnknown, EndpointDown, SignInError
from auth.outbound.credential import AccessToken
from auth.outbound.msal_http import MsalHttp
from http_client.pool import HttpPool

Assertion = Callable[[str], Awaitable[str]]
"""Makes the client assertion (a JWT) for a token endpoint (URL)."""

UNKNOWN_CERTIFICATE = 700027

_FEDERATION = (
    "add a federated credential to the app registration {client_id}: issuer {authority}/v2.0,"
    " as subject the principal id of the managed identity AZURE_CLIENT_ID, as audience the cloud's"
    " (api://AzureADTokenExchange in the public one)"
)

_UPLOAD = (
    "Entra does not accept the certificate: upload its public key to the app registration"
    " {client_id}, and see that it has not expired"
)

# Entra's error codes (Microsoft reference: "Microsoft Entra authentication error codes").
_CURES = {
    700016: (
        "there is no app registration {client_id} in {authority}: check MicrosoftAppId,"
        " MicrosoftAppTenantId and MicrosoftAppType"
    ),
    90002: "there is no tenant {authority}: check MicrosoftAppTenantId",
    900023: "there is no tenant {authority}: check MicrosoftAppTenantId",
    700024: "the assertion's dates are off: set this machine's clock",
    70021: _FEDERATION,
    70025: _FEDERATION,
    700211: _FEDERATION,
    700212: _FEDERATION,
    700213: _FEDERATION,
    7002138: _FEDERATION,
    700222: (
        "Entra exchanges the tokens of a user-assigned identity of the same tenant only: set"
        " AZURE_CLIENT_ID to one"
    ),
    7000112: "the app registration {client_id} is disabled: enable it",
    7000229: "the tenant has no service principal of {client_id}: create one (enterprise app)",
    500011: "Entra does not know the audience {audience}: check ToChannelFromBotOAuthScope",
    53003: "a Conditional Access policy blocks the app registration {client_id}: exclude it",
}

_UNUSUAL = "Entra refused to sign in {client_id} at {authority}"

# What MSAL makes of an answer that lacks what the protocol demands.
_ODD_ANSWER = (ValueError, LookupError, TypeError, AttributeError, OverflowError)

# Not the event loop's own: it looks hosts up there, and MSAL waits for that.
_THREADS = ThreadPoolExecutor(thread_name_prefix="msal")

LONGEST_REASON = 400
"""Characters of Entra's own words in our text."""


class EntraClient:
    """One app registration at one tenant.

    MSAL speaks to Entra, in a worker thread because it blocks. Tokens are kept by our own cache
    alone: MSAL's would raise in an outage although its token is valid.

    Args:
        client_id: GUID of the app registration, the bot's MicrosoftAppId.
        authority: URL of the tenant to sign in at.
        pool: sends the requests.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        client_id: str,
        authority: str,
        pool: HttpPool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client_id = client_id
        self._authority = authority
        self._pool = pool
        self._clock = clock

    async def request_token(
        self, audience: str, assertion: Assertion, certificate: Certificate | None = None
    ) -> AccessToken:
        """A new token.

        Args:
            audience: URL or GUID, without `/.default`.
            assertion: proves that we are the app registration; made once.
            certificate: the one that signs it, if one does.

        Raises:
            CertificateUnknown: Entra does not know the certificate.
            SignInError: Entra refused for another reason, or cannot be reached; or what
                `assertion` raises.
        """
        asked, made = self._clock(), list[str]()
        application = await self._application(made)
        made.append(await assertion(application.authority.token_endpoint))
        answer = await self._answer(application, f"{audience}/.default")
        if "error" in answer:
            raise self._refusal(answer, audience, certificate)
        token, expires_on = answer["access_token"], asked + answer["expires_in"]
        if certificate is None:
            return AccessToken(token, expires_on)
        return AccessToken(token, expires_on, certificate.thumbprint, certificate.expires_on)

    async def _application(self, made: list[str]) -> Any:
        """A new MSAL application, which is to show the assertion that `made` holds by then.

        That costs one discovery request, once in half a token's life, and leaves neither a token
        nor a remembered failure of MSAL's own in our way.
        """
        loop = asyncio.get_running_loop()
        make = partial(
            msal.ConfidentialClientApplication,
            self._client_id,
            authority=self._authority,
            client_credential={"client_assertion": lambda: made[0]},
            instance_discovery=False,
            http_client=MsalHttp(self._pool, loop),
        )
        try:
            return await loop.run_in_executor(_THREADS, make)
        except _ODD_ANSWER as error:
            raise SignInError(
                f"{self._authority} is no tenant to sign in at: check MicrosoftAppTenantId, and"
                " ToChannelFromBotLoginUrl if it is set"
            ) from error

    async def _answer(self, application: Any, scope: str) -> dict[str, Any]:
        """The token endpoint's, with a token and its life in seconds, or with an error."""
        loop = asyncio.get_running_loop()
        try:
            answer: dict[str, Any] = await loop.run_in_executor(
                _THREADS, application.acquire_token_for_client, [scope]
            )
            match answer:
                case {"error": _}:
                    return answer
                case {"access_token": str(token), "expires_in": life} if token:
                    return {"access_token": token, "expires_in": int(life)}
        except _ODD_ANSWER as error:
            raise self._odd_answer() from error
        raise self._odd_answer()

    def _odd_answer(self) -> EndpointDown:
        return EndpointDown(
            f"{self._authority} does not answer as Entra does: neither token nor error"
        )

    def _refusal(
        self, answer: dict[str, Any], audience: str, certificate: Certificate | None
    ) -> SignInError:
        code = _code(answer)
        # A federated credential's token may be refused with the same code: no certificate's fault.
        unknown = certificate is not None and code == UNKNOWN_CERTIFICATE
        cure = _UPLOAD if unknown else _CURES.get(code, _UNUSUAL)
        place = {"client_id": self._client_id, "authority": self._authority, "audience": audience}
        signed = f"signed with {certificate}; " if certificate else ""
        reason = str(answer.get("error_description") or answer.get("error"))[:LONGEST_REASON]
        text = f"{cure.format_map(place)} (AADSTS{code}; {signed}{reason!r})"
        return CertificateUnknown(text) if unknown else SignInError(text)


def _code(answer: dict[str, Any]) -> int:
    """The number behind AADSTS; 0 when the answer tells none."""
    match answer.get("error_codes"):
        case [int(code), *_]:
            return code
    return 0
