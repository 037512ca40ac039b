"""ManagedIdentityCredential: signs the bot in as a managed identity of this app."""

from http import HTTPStatus

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential as SdkCredential

from auth.errors import EndpointDown, SignInError, Throttled
from auth.outbound.azure_sdk import PoolTransport
from auth.outbound.endpoints import MALFORMED_RESPONSE_ERRORS, retry_after_of, status_of
from auth.outbound.token_provider import AccessToken, Credential


class ManagedIdentityCredential(Credential):
    """Signs in as a managed identity of this app.

    Args:
        client_id: client id (GUID) of a user-assigned identity; empty for the system-assigned one.
        setting: the name of the setting that holds `client_id`, for error texts.
        transport: sends the requests.
    """

    def __init__(self, client_id: str, setting: str, transport: PoolTransport) -> None:
        self._client_id = client_id
        self._name = client_id or "the system-assigned identity"
        self._setting = setting
        self._transport = transport

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: the identity endpoint refused.
            EndpointDown: the identity endpoint does not respond.
            Throttled: the identity endpoint asks to wait.
        """
        # A new SDK credential for each request, because a reused one would answer a refresh with
        # its cached token.
        try:
            async with SdkCredential(
                client_id=self._client_id or None, transport=self._transport, retry_total=0
            ) as credential:
                token = await credential.get_token(f"{audience}/.default")
        except AzureError as error:
            # azure-identity's error quotes a malformed response, which may contain a token.
            quotes = status_of(error) == HTTPStatus.OK
            raise self._translated(error, audience) from (None if quotes else error)
        except MALFORMED_RESPONSE_ERRORS as error:
            raise self._outage(audience) from error
        return AccessToken(token.token, token.expires_on)

    def _translated(self, error: AzureError, audience: str) -> SignInError:
        status = status_of(error)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(
                "the identity endpoint asks to wait (429): too many tokens are requested for"
                f" {self._name} ({self._setting})",
                retry_after_of(error),
            )
        # azure-identity raises the same error for a refusal and for a response that is not JSON.
        if isinstance(error, ClientAuthenticationError) and (status is None or 400 <= status < 500):
            return SignInError(
                f"{self._name} cannot sign in: set {self._setting} to the client id of a managed"
                " identity, and assign that identity to this app (Identity, in the portal); if that"
                f" is so already, check the audience {audience}"
            )
        return self._outage(audience)

    def _outage(self, audience: str) -> EndpointDown:
        # App Service answers 500, without a reason, also if Entra refuses (msal's source and
        # MSAL.NET's page about managed identities say so of a wrong resource).
        return EndpointDown(
            f"the identity endpoint does not answer for {self._name} ({self._setting}): the"
            " platform runs this endpoint, and it recovers by itself; restarting the app may help."
            f" It also answers 500 if Entra does not know the audience {audience}, or if that"
            " requires an assignment"
        )
