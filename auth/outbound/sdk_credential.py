"""AzureSdkCredential: an identity of this app, in the shape that Azure's SDKs ask for."""

from typing import Any

from azure.core.credentials import AccessToken as AzureToken
from azure.core.credentials_async import AsyncTokenCredential

from auth.outbound.token_provider import TokenProvider


class AzureSdkCredential(AsyncTokenCredential):
    """Hands an identity's tokens to the clients of a vault or of storage.

    They come from our own cache: azure-identity's would ask again in every outage, and one
    credential for all clients spares requests.

    Args:
        tokens: of a managed identity.
    """

    def __init__(self, tokens: TokenProvider) -> None:
        self._tokens = tokens

    async def get_token(self, *scopes: str, **_: Any) -> AzureToken:  # the SDK's protocol
        """A token for the scope (resource and `/.default`) that the service names.

        Raises:
            SignInError: none can be had.
        """
        token = await self._tokens.get(scopes[0].removesuffix("/.default"))
        return AzureToken(token.value, int(token.expires_on))

    async def close(self) -> None:
        """Nothing: the tokens live on."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing: the tokens live on."""
