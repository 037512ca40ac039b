"""Tokens: what a credential has got, kept for each audience."""

from collections.abc import Sequence
from functools import partial

from auth.access_token import AccessToken
from auth.credential import Credential
from auth.token_cache import PATIENCE, TokenCache


class Tokens:
    """A credential's tokens, one cache for each audience.

    Args:
        credential: signs in.
        patience: seconds between the attempts of a request that callers wait for.
    """

    def __init__(self, credential: Credential, patience: Sequence[float] = PATIENCE) -> None:
        self._credential = credential
        self._patience = patience
        self._caches: dict[str, TokenCache] = {}

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: none can be had.
        """
        self._credential.keep_up()
        cache = self._caches.get(audience)
        if cache is None:
            request = partial(self._credential.request_token, audience)
            cache = TokenCache(request, patience=self._patience)
            self._caches[audience] = cache
        return await cache.get()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before signing in fails."""
        return self._credential.warnings
