"""CliCredential: signs commands in as the user of `az login`."""

from typing import Any

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import AzureCliCredential

from auth.errors import SignInError


class CliCredential(AsyncTokenCredential):
    """Hands the Azure CLI's tokens to the storage clients. For commands, never for the app."""

    def __init__(self) -> None:
        self._credential = AzureCliCredential()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # the SDK's protocol
        """A token for the scope that the service names: its resource and `/.default`.

        Raises:
            SignInError: the Azure CLI is missing, or no user is signed in to it.
        """
        try:
            token: AccessToken = await self._credential.get_token(*scopes)
        except ClientAuthenticationError as error:
            raise SignInError(
                f"the Azure CLI returned no token ({_first_line(error)}): install it, then run"
                " `az login`"
            ) from error
        return token

    async def close(self) -> None:
        """Close the SDK's credential."""
        await self._credential.close()

    async def __aexit__(self, *_: object) -> None:
        """Close the SDK's credential."""
        await self.close()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
