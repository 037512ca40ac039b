"""CliCredential: the person at the command line, as `az login` knows them."""

from typing import Any

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import AzureCliCredential

from auth.errors import SignInError


class CliCredential(AsyncTokenCredential):
    """Hands the Azure CLI's tokens to the clients of storage. For commands, never for the app."""

    def __init__(self) -> None:
        self._credential = AzureCliCredential()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # the SDK's protocol
        """A token for the scope (resource and `/.default`) that the service names.

        Raises:
            SignInError: nobody is signed in there.
        """
        try:
            token: AccessToken = await self._credential.get_token(*scopes)
        except ClientAuthenticationError as error:
            raise SignInError("the Azure CLI gives no token: run `az login`") from error
        return token

    async def close(self) -> None:
        """Close it."""
        await self._credential.close()

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()
