"""ManagedIdentityCredential: the platform signs this app in."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential as SdkCredential

from auth.errors import EndpointDown, SignInError, Throttled
from auth.outbound.credential import AccessToken, Credential
from auth.outbound.endpoints import (
    CONNECT_TIMEOUT_SECONDS,
    MALFORMED_RESPONSE_ERRORS,
    READ_TIMEOUT_SECONDS,
    retry_after_of,
    status_of,
)

if TYPE_CHECKING:
    from auth.outbound.pool_transport import PoolTransport


class ManagedIdentityCredential(Credential):
    """Signs in as a managed identity of this app.

    Args:
        client_id: GUID of a user-assigned identity; empty for the system-assigned one.
        setting: the name of the setting that holds `client_id`, for error texts.
        transport: sends the requests; None: the SDK's own, which uses aiohttp.
        read_timeout: seconds, of the SDK's own transport.
    """

    def __init__(
        self,
        client_id: str,
        setting: str,
        transport: "PoolTransport | None" = None,
        read_timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self._client_id = client_id
        self._name = client_id or "the system-assigned identity"
        self._setting = setting
        self._transport = transport
        self._read_timeout = read_timeout

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: the identity endpoint refused.
            EndpointDown: the identity endpoint does not respond.
            Throttled: it asks to wait.
        """
        # A new credential for each request: azure-identity caches tokens and would return the old
        # one for a refresh. Its own time limits would wait minutes for a silent endpoint.
        try:
            async with SdkCredential(
                client_id=self._client_id or None,
                transport=self._transport,
                connection_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=self._read_timeout,
                retry_total=0,
            ) as credential:
                token = await credential.get_token(f"{audience}/.default")
        except AzureError as error:
            # For a malformed response azure-identity quotes it, and the token that may be in it.
            quotes = status_of(error) == HTTPStatus.OK
            raise self._translated(error) from (None if quotes else error)
        except MALFORMED_RESPONSE_ERRORS as error:
            raise self._outage() from error
        return AccessToken(token.token, token.expires_on)

    def _translated(self, error: AzureError) -> SignInError:
        status = status_of(error)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(
                "the identity endpoint asks to wait (429): too many tokens are asked for as"
                f" {self._name}, {self._setting}",
                retry_after_of(error),
            )
        # azure-identity raises the same error for a refusal and for a response that is not JSON.
        if isinstance(error, ClientAuthenticationError) and (status is None or 400 <= status < 500):
            return SignInError(
                f"{self._name} cannot sign in: set {self._setting} to the client id of a managed"
                " identity, and assign that identity to this app (Identity, in the portal)"
            )
        return self._outage()

    def _outage(self) -> EndpointDown:
        return EndpointDown(
            f"the identity endpoint does not answer for {self._name} ({self._setting}): it is the"
            " platform's, and comes back by itself; a restart of the app may help"
        )
