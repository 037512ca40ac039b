"""Tokens: what a credential has got, kept for each audience."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from auth.access_token import AccessToken
from auth.credential import Credential
from auth.errors import SignInError
from auth.token_cache import PATIENCE, TokenCache

log = logging.getLogger(__name__)


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
        self._beginning: asyncio.Task[None] | None = None

    def begin(self, audience: str) -> None:
        """Ask for the first token for `audience` (as `get`), in the background of a running loop.

        Who needs it meanwhile waits for that same request. If it fails, nothing stays of it: the
        next caller has no pause to sit out, and a request with all its patience.
        """
        self._beginning = asyncio.create_task(self._begin(audience))

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

    async def _begin(self, audience: str) -> None:
        try:
            await self.get(audience)
        except SignInError as error:
            del self._caches[audience]
            log.warning("No first token yet: %s", error)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before signing in fails."""
        return self._credential.warnings
