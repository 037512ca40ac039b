"""The managed identity credential: the platform vouches for the bot."""

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from auth.access_token import AccessToken
from auth.errors import SignInError

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 5
RETRIES = 2


def managed_identity(client_id: str) -> ManagedIdentityCredential:
    """azure-identity's credential with bounds: its own would let a silent endpoint block minutes.

    Args:
        client_id: GUID of the user-assigned identity; empty for the system-assigned one.
    """
    return ManagedIdentityCredential(
        client_id=client_id or None,
        connection_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retry_total=RETRIES,
        retry_backoff_factor=0.2,
    )


def is_refusal(error: ClientAuthenticationError) -> bool:
    """The identity was refused: azure-identity raises the same error when its endpoint is down."""
    status = error.status_code
    return status is None or (status < 500 and status != 429)


class ManagedIdentity:
    """Signs in as a user-assigned managed identity.

    Args:
        client_id: GUID of the identity, which is the bot's MicrosoftAppId.
    """

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: the identity endpoint refused, or cannot be reached.
        """
        # A credential for one request: azure-identity keeps tokens of its own and would answer a
        # renewal with the old one.
        try:
            async with managed_identity(self._client_id) as credential:
                token = await credential.get_token(f"{audience}/.default")
        except AzureError as error:
            if isinstance(error, ClientAuthenticationError) and is_refusal(error):
                text = (
                    f"the managed identity {self._client_id} cannot sign in: set MicrosoftAppId to"
                    " the client id of a user-assigned identity, and assign that identity to this"
                    " app"
                )
            else:
                text = f"the identity endpoint does not answer for {self._client_id}"
            raise SignInError(text) from error
        return AccessToken(token.token, token.expires_on)
