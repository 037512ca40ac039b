"""TokenCache: the cache that stands in front of every credential, for one audience."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from auth.errors import EndpointDown, SignInError, Throttled, VaultForbidden
from auth.outbound.credential import AccessToken, Credential

EXPIRY_MARGIN = 60
"""Seconds before its expiry from which a token is no longer used."""

SERVED_AT_LEAST = 1.0
"""Seconds that any token is served: one that comes with less life than the margin must not cost a
request for each turn."""

REQUEST_TIMEOUT = 10.0
"""Seconds that one token request may take in all."""

FAILURE_PAUSE = 1.0
"""Seconds after a failed request in which no new one is made; doubled while a token is in hand."""

LONGEST_PAUSE = 30.0
"""Seconds that this pause grows to."""

PATIENCE = (0.2, 0.5, 1.0, 2.0, 2.0)
"""Seconds between the attempts of a request that callers wait for, while what fails may pass by
itself: an outage of a moment, or a role that was given a moment ago."""

_MAY_PASS = (EndpointDown, VaultForbidden)

log = logging.getLogger(__name__)


class TokenCache:
    """Serves one audience's token from memory; asks the credential as rarely as it can.

    One request at a time, however many callers wait. From half of its life on, a token is renewed
    in the background, and served meanwhile: an outage of the sign-in endpoint is noticed by
    callers only when the last token has run out. A request that callers wait for is patient with
    what may pass, unless the one before it failed too.

    Args:
        request: asks the credential for a new token.
        clock: seconds since the epoch.
        sleep: waits; tests pass one that moves the clock.
        patience: seconds between the attempts of a request that callers wait for.
    """

    def __init__(
        self,
        request: Callable[[], Awaitable[AccessToken]],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        patience: Sequence[float] = PATIENCE,
    ) -> None:
        self._request = request
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._token: AccessToken | None = None
        self._served_until = 0.0
        self._renew_from = 0.0
        self._failure: SignInError | None = None
        self._pause = FAILURE_PAUSE
        self._paused_until = 0.0
        self._running: asyncio.Task[AccessToken] | None = None

    async def get(self) -> AccessToken:
        """A token with at least a minute to live, unless it has come with less just now.

        Raises:
            SignInError: none is known, and none can be had.
        """
        now = self._clock()
        if self._token is None or self._left(now) <= 0:
            return await self._wait_for_new(now)
        if now >= self._renew_from and now >= self._paused_until:
            self._start()
        return self._token

    async def _wait_for_new(self, now: float) -> AccessToken:
        if self._running is None and self._failure is not None and now < self._paused_until:
            raise self._failure.with_traceback(None)
        # Shielded: a caller that goes away must not take the others' request with it.
        return await asyncio.shield(self._start())

    def _start(self) -> asyncio.Task[AccessToken]:
        if self._running is None:
            self._running = asyncio.create_task(self._renew())
            self._running.add_done_callback(self._finished)
        return self._running

    async def _renew(self) -> AccessToken:
        token = await self._patiently()
        now = self._clock()
        self._token, self._failure, self._pause = token, None, FAILURE_PAUSE
        self._served_until = max(token.expires_on - EXPIRY_MARGIN, now + SERVED_AT_LEAST)
        # Two thirds of what is served, where that is sooner: a token may come half used.
        life, served = token.expires_on - now, self._served_until - now
        self._renew_from = now + min(life / 2, served * 2 / 3)
        return token

    async def _patiently(self) -> AccessToken:
        """A new token, at the first attempt or, while callers wait, a later one."""
        now = asyncio.get_running_loop().time
        deadline = now() + REQUEST_TIMEOUT
        wanted = self._failure is None and self._left(self._clock()) <= 0
        pauses = iter(self._patience if wanted else ())
        failure: SignInError | None = None
        while True:
            try:
                return await self._attempt(deadline, failure)
            except _MAY_PASS as error:
                failure, pause = error, next(pauses, None)
                if pause is None or now() + pause >= deadline:
                    raise
                await self._sleep(pause)

    async def _attempt(self, deadline: float, failure: SignInError | None) -> AccessToken:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._request()
        except TimeoutError as error:
            slow = "endpoints are slow: check CertificateVaultUrl, AZURE_AUTHORITY_HOST, network"
            raise EndpointDown(
                f"no token within {REQUEST_TIMEOUT:.0f} seconds: {failure or slow}"
            ) from error
        except SignInError:
            raise
        # Whatever it is, it must pause as a refusal does, and reach the channel as 503.
        except Exception as error:
            log.exception("A token request failed")
            raise SignInError("the sign-in failed by a fault of this project's code") from error

    def _left(self, now: float) -> float:
        """Seconds for which the token in hand is served."""
        return self._served_until - now

    def _finished(self, task: asyncio.Task[AccessToken]) -> None:
        self._running = None
        error = None if task.cancelled() else task.exception()
        if isinstance(error, SignInError):
            self._note_failure(error)

    def _note_failure(self, error: SignInError) -> None:
        now = self._clock()
        left = self._left(now)
        self._failure = error
        asked = float(error.retry_after) if isinstance(error, Throttled) else 0.0
        if left <= 0:
            self._paused_until = now + max(FAILURE_PAUSE, asked)
            return
        # Not beyond the token's end: from then on callers wait.
        self._paused_until = now + min(max(self._pause, asked), left)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        log.warning("No new token (%s); the known one serves for %.0f s more", error, left)


class TokenProvider:
    """A credential's tokens, one cache for each audience.

    Args:
        credential: signs in.
        patience: seconds between the attempts of a request that callers wait for.
    """

    def __init__(self, credential: Credential, patience: Sequence[float] = PATIENCE) -> None:
        self._credential = credential
        self._patience = patience
        self._caches: dict[str, TokenCache] = {}
        self._prefetching: asyncio.Task[None] | None = None

    def prefetch(self, audience: str) -> None:
        """Ask for the first token for `audience` (as `get`), in the background of a running loop.

        Who needs it meanwhile waits for that same request. If it fails, nothing stays of it: the
        next caller has no pause to sit out, and a request with all its patience.
        """
        self._prefetching = asyncio.create_task(self._prefetch(audience))

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: none can be had.
        """
        self._credential.refresh_if_due()
        cache = self._caches.get(audience)
        if cache is None:
            request = partial(self._credential.request_token, audience)
            cache = TokenCache(request, patience=self._patience)
            self._caches[audience] = cache
        return await cache.get()

    async def _prefetch(self, audience: str) -> None:
        try:
            await self.get(audience)
        except SignInError as error:
            del self._caches[audience]
            log.warning("No first token yet: %s", error)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before signing in fails."""
        return self._credential.warnings
