"""The certificate credential: an app registration signs in with a client assertion."""

import asyncio
import datetime
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msal

from auth.access_token import AccessToken
from auth.certificate import Certificate
from auth.client_assertion import client_assertion
from auth.errors import CertificateError, SignInError

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 5.0

UNKNOWN_CERTIFICATE = 700027

# Entra's error codes (Microsoft reference: "Microsoft Entra authentication error codes").
_CURES = {
    UNKNOWN_CERTIFICATE: (
        "Entra does not accept the certificate {thumbprint}: upload its public key to the app"
        " registration {client_id}"
    ),
    700016: (
        "there is no app registration {client_id} in {authority}: check MicrosoftAppId,"
        " MicrosoftAppTenantId and MicrosoftAppType"
    ),
    700024: "the assertion's dates are off: check this machine's clock",
}


class ClientCertificate:
    """Signs in as an app registration, with an assertion that its certificate signs.

    MSAL speaks to Entra, in a worker thread because it blocks. Tokens are kept by our own cache
    alone: MSAL's would raise in an outage although its token is valid.

    Args:
        client_id: GUID of the app registration, the bot's MicrosoftAppId.
        authority: URL of the tenant to sign in at.
        load: reads the certificate; called again when the one in hand has expired or is refused.
        pins: the thumbprints that are allowed, SHA-1 in upper-case hex; empty: all.
        send_x5c: put the certificate into the assertion.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        client_id: str,
        authority: str,
        load: Callable[[], Awaitable[Certificate]],
        pins: frozenset[str] = frozenset(),
        *,
        send_x5c: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client_id = client_id
        self._authority = authority
        self._load = load
        self._pins = pins
        self._send_x5c = send_x5c
        self._clock = clock
        self._certificate: Certificate | None = None

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL or GUID, without `/.default`).

        Raises:
            CertificateError: the certificate cannot be had, is not allowed, or is refused.
            SignInError: Entra refused for another reason, or cannot be reached.
        """
        certificate = await self._usable_certificate()
        asked = self._clock()
        answer = await asyncio.to_thread(self._ask_entra, certificate, audience)
        if "access_token" not in answer:
            raise self._refusal(answer, certificate)
        return AccessToken(
            answer["access_token"], asked + int(answer["expires_in"]), certificate.thumbprint
        )

    async def _usable_certificate(self) -> Certificate:
        now = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        if self._certificate is None or now > self._certificate.public.not_valid_after_utc:
            certificate = await self._load()
            certificate.check(self._pins, now)
            self._certificate = certificate
        return self._certificate

    def _ask_entra(self, certificate: Certificate, audience: str) -> dict[str, Any]:
        def assertion(request: dict[str, str]) -> str:
            return client_assertion(
                certificate, self._client_id, request["token_endpoint"], self._send_x5c
            )

        # A new MSAL application costs one discovery request, once in half a token's life, and
        # leaves neither a token nor a remembered failure of MSAL's own in our way.
        try:
            application = msal.ConfidentialClientApplication(
                self._client_id,
                authority=self._authority,
                client_credential={"client_assertion": assertion},
                instance_discovery=False,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            )
            answer: dict[str, Any] = application.acquire_token_for_client([f"{audience}/.default"])
        # OSError: requests' own errors. ValueError: MSAL's for a tenant that it cannot find. The
        # others: what it makes of an answer that is not the protocol's.
        except (OSError, ValueError, LookupError, RuntimeError, msal.exceptions.MsalError) as error:
            raise SignInError(
                f"no sign-in at {self._authority}: the endpoint cannot be reached, or does not"
                " know the tenant (MicrosoftAppTenantId)"
            ) from error
        return answer

    def _refusal(self, answer: dict[str, Any], certificate: Certificate) -> SignInError:
        codes = answer.get("error_codes") or [0]
        text = _CURES.get(codes[0], "Entra refused to sign in {client_id} at {authority}").format(
            thumbprint=certificate.thumbprint, client_id=self._client_id, authority=self._authority
        )
        text = f"{text} (AADSTS{codes[0]}, {answer.get('error')})"
        if codes[0] != UNKNOWN_CERTIFICATE:
            return SignInError(text)
        self._certificate = None  # perhaps the vault has a newer one by the next request
        return CertificateError(text)
