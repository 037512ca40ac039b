"""Managed identities: the platform vouches for this app."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential as SdkCredential

from auth.errors import EndpointDown, SignInError, Throttled
from auth.outbound.credential import AccessToken, Credential
from auth.outbound.endpoints import (
    CONNECT_TIMEOUT,
    ODD_ANSWER,
    READ_TIMEOUT,
    status_of,
    wait_asked_by,
)

if TYPE_CHECKING:
    from auth.outbound.pool_transport import PoolTransport


class ManagedIdentityCredential(Credential):
    """Signs in as a managed identity of this app.

    Args:
        client_id: GUID of a user-assigned identity; empty for the system-assigned one.
        setting: the name of the setting that holds `client_id`, for error texts.
        transport: sends the requests; None: the SDK's own, which uses aiohttp.
    """

    def __init__(
        self, client_id: str, setting: str, transport: "PoolTransport | None" = None
    ) -> None:
        self._client_id = client_id
        self._name = client_id or "the system-assigned identity"
        self._setting = setting
        self._transport = transport

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: the identity endpoint refused.
            EndpointDown, Throttled: it does not answer, or asks to wait.
        """
        # A credential for one request: azure-identity keeps tokens of its own and would answer a
        # renewal with the old one. Its bounds would let a silent endpoint block minutes.
        try:
            async with SdkCredential(
                client_id=self._client_id or None,
                transport=self._transport,
                connection_timeout=CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
                retry_total=0,
            ) as credential:
                token = await credential.get_token(f"{audience}/.default")
        except AzureError as error:
            # What azure-identity says of an odd answer quotes it, and a token that is in it.
            quoted = status_of(error) == HTTPStatus.OK
            raise self._translated(error) from (None if quoted else error)
        except ODD_ANSWER as error:
            raise self._outage() from error
        return AccessToken(token.token, token.expires_on)

    def _translated(self, error: AzureError) -> SignInError:
        status = status_of(error)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(
                "the identity endpoint asks to wait (429): too many tokens are asked for as"
                f" {self._name}, {self._setting}",
                wait_asked_by(error),
            )
        # azure-identity raises the same error for a refusal and for an answer that is not JSON.
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
