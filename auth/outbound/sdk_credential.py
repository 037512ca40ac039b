"""AzureSdkCredential: a token provider in the form that the Azure SDKs require."""

from typing import Any

from azure.core.credentials import AccessToken as AzureToken
from azure.core.credentials_async import AsyncTokenCredential

from auth.outbound.token_provider import TokenProvider


class AzureSdkCredential(AsyncTokenCredential):
    """Gives the Azure SDKs' clients the tokens of a managed identity.

    The tokens come from this project's cache: azure-identity would send a request for each call
    during an outage, and clients that share a credential need fewer requests.

    Args:
        tokens: the tokens of a managed identity.
    """

    def __init__(self, tokens: TokenProvider) -> None:
        self._tokens = tokens

    async def get_token(self, *scopes: str, **_: Any) -> AzureToken:  # the SDK's protocol
        """A token for the scope (resource and `/.default`) that the service requires.

        Raises:
            SignInError: no token is available.
        """
        token = await self._tokens.get(scopes[0].removesuffix("/.default"))
        return AzureToken(token.value, int(token.expires_on))

    async def close(self) -> None:
        """Do nothing: the tokens outlive the client."""

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: the tokens outlive the client."""
