"""CliCredential: signs commands in as the user of `az login`."""

from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import AzureCliCredential

from auth.errors import SignInError
from auth.outbound.token_provider import AccessToken, Credential


class CliCredential(Credential):
    """Gets tokens from the Azure CLI. For commands, never for the app."""

    async def request_token(self, audience: str) -> AccessToken:
        """A token of the user for `audience` (URL, without `/.default`).

        Raises:
            SignInError: the Azure CLI is missing, or no user is signed in to it.
        """
        try:
            async with AzureCliCredential() as credential:
                token = await credential.get_token(f"{audience}/.default")
        except ClientAuthenticationError as error:
            raise SignInError(
                f"the Azure CLI returned no token ({_first_line(error)}): install it, then run"
                " `az login`"
            ) from error
        return AccessToken(token.token, token.expires_on)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
