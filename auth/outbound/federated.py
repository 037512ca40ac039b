"""FederatedCredential: signs an app registration in with a managed identity's token.

Microsoft reference: "Configure an application to trust a managed identity".
"""

from collections.abc import Sequence

from auth.outbound.entra import EntraClient
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import AccessToken, Credential


class FederatedCredential(Credential):
    """Signs in as an app registration that trusts a user-assigned managed identity.

    Args:
        entra: requests tokens for the app registration.
        identity: the managed identity that the app registration trusts.
        exchange_audience: the resource (URI) that the identity's token is for.
    """

    def __init__(
        self, entra: EntraClient, identity: ManagedIdentityCredential, exchange_audience: str
    ) -> None:
        self._entra = entra
        self._identity = identity
        self._exchange_audience = exchange_audience

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: the identity cannot sign in, or Entra does not trust it.
        """
        return await self._entra.request_token(audience, self._assertion)

    async def request_user_token(self, scopes: Sequence[str], user_token: str) -> AccessToken:
        """A token on behalf of a user.

        Raises:
            SignInError: as `request_token`, or Entra refuses the user's token or the scopes.
        """
        return await self._entra.request_user_token(scopes, user_token, self._assertion)

    async def _assertion(self, _: str) -> str:
        # Unlike a signed assertion, the token is not bound to a token endpoint.
        return (await self._identity.request_token(self._exchange_audience)).value
