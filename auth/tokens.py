"""Tokens: what a credential has got, kept for each audience."""

from functools import partial

from auth.access_token import AccessToken, TokenCache
from auth.credential import Credential


class Tokens:
    """A credential's tokens, one cache for each audience.

    Args:
        credential: signs in.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._caches: dict[str, TokenCache] = {}

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: none can be had.
        """
        self._credential.keep_up()
        cache = self._caches.get(audience)
        if cache is None:
            cache = TokenCache(partial(self._credential.request_token, audience))
            self._caches[audience] = cache
        return await cache.get()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before signing in fails."""
        return self._credential.warnings
