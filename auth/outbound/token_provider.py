"""TokenProvider: a credential's tokens by audience, each cached and refreshed in the background."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from auth.errors import EndpointDown, SignInError, Throttled, VaultForbidden
from auth.outbound.credential import AccessToken, Credential
from http_client.retry import Backoff

EXPIRY_MARGIN_SECONDS = 60
"""Before its expiry, from when on a token is no longer used."""

MIN_USE_SECONDS = 1.0
"""Any token is used for at least this long: one that arrives with less life than the margin must
not cost a request for each turn."""

REQUEST_TIMEOUT_SECONDS = 10.0
"""Of one token request in all, retries included."""

MAX_ATTEMPTS = 6
"""At a request that callers wait for, while its failure may be transient: a short outage, or a role
that was granted a moment ago."""

RETRY_BACKOFF = Backoff(first=0.25, longest=2.0, jitter=0.0)
"""Between these attempts: about six seconds in all."""

REFRESH_BACKOFF = Backoff(first=1.0, longest=30.0, jitter=0.0)
"""After failed requests while the current token is still valid."""

FAILURE_PAUSE_SECONDS = 1.0
"""After a failed request without a valid token; callers get the same failure meanwhile."""

_TRANSIENT = (EndpointDown, VaultForbidden)

log = logging.getLogger(__name__)


class TokenCache:
    """One audience's token, from memory; it calls the credential as rarely as possible.

    There is one request at a time, however many callers wait. From half of its life on, a token is
    refreshed in the background and used meanwhile, so callers notice an outage of the sign-in
    endpoint only when the token expires. A request that callers wait for is retried, unless the
    request before it failed too.

    Args:
        request: asks the credential for a new token.
        max_attempts: at a request that callers wait for; 1: no retries.
        request_timeout: seconds that a request may take in all.
        clock: seconds since the epoch.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        request: Callable[[], Awaitable[AccessToken]],
        *,
        max_attempts: int = MAX_ATTEMPTS,
        request_timeout: float = REQUEST_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._request = request
        self._max_attempts = max_attempts
        self._request_timeout = request_timeout
        self._clock = clock
        self._sleep = sleep
        self._token: AccessToken | None = None
        self._used_until = 0.0
        self._refresh_from = 0.0
        self._failure: SignInError | None = None
        self._failed_refreshes = 0
        self._paused_until = 0.0
        self._running: asyncio.Task[AccessToken] | None = None

    async def get(self) -> AccessToken:
        """A token that is valid for at least a minute, unless it has just arrived with less.

        Raises:
            SignInError: no valid token is known, and none is available.
        """
        now = self._clock()
        if self._token is None or now >= self._used_until:
            return await self._wait_for_new(now)
        if now >= self._refresh_from and now >= self._paused_until:
            self._start()
        return self._token

    async def _wait_for_new(self, now: float) -> AccessToken:
        if self._running is None and self._failure is not None and now < self._paused_until:
            raise self._failure.with_traceback(None)
        # Shielded: a caller that is cancelled must not cancel the request of the others.
        return await asyncio.shield(self._start())

    def _start(self) -> asyncio.Task[AccessToken]:
        if self._running is None:
            self._running = asyncio.create_task(self._refresh())
            self._running.add_done_callback(self._finished)
        return self._running

    async def _refresh(self) -> AccessToken:
        token = await self._request_with_retries()
        now = self._clock()
        self._token, self._failure, self._failed_refreshes = token, None, 0
        self._used_until = max(token.expires_on - EXPIRY_MARGIN_SECONDS, now + MIN_USE_SECONDS)
        # At half of its life or two thirds of its use, whichever is sooner: a token may arrive
        # with little life left.
        life, use = token.expires_on - now, self._used_until - now
        self._refresh_from = now + min(life / 2, use * 2 / 3)
        return token

    async def _request_with_retries(self) -> AccessToken:
        now = asyncio.get_running_loop().time
        deadline = now() + self._request_timeout
        callers_wait = self._failure is None and self._clock() >= self._used_until
        max_attempts = self._max_attempts if callers_wait else 1
        failure: SignInError | None = None
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(deadline, failure)
            except _TRANSIENT as error:
                failure, pause = error, RETRY_BACKOFF.pause(attempt)
                if attempt >= max_attempts or now() + pause >= deadline:
                    raise
                await self._sleep(pause)

    async def _attempt(self, deadline: float, failure: SignInError | None) -> AccessToken:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._request()
        except TimeoutError as error:
            slow = "endpoints are slow: check CertificateVaultUrl, AZURE_AUTHORITY_HOST, network"
            raise EndpointDown(
                f"no token within {self._request_timeout:.0f} seconds: {failure or slow}"
            ) from error
        except SignInError:
            raise
        # A bug must pause requests as a refusal does, and be answered with 503.
        except Exception as error:
            log.exception("A token request failed")
            raise SignInError("the sign-in failed because of a bug in this project") from error

    def _finished(self, task: asyncio.Task[AccessToken]) -> None:
        self._running = None
        error = None if task.cancelled() else task.exception()
        if isinstance(error, SignInError):
            self._note_failure(error)

    def _note_failure(self, error: SignInError) -> None:
        now = self._clock()
        left = self._used_until - now
        self._failure = error
        asked = float(error.retry_after) if isinstance(error, Throttled) else 0.0
        if left <= 0:
            self._paused_until = now + max(FAILURE_PAUSE_SECONDS, asked)
            return
        self._failed_refreshes += 1
        # Not beyond the token's use: from then on callers wait.
        pause = max(REFRESH_BACKOFF.pause(self._failed_refreshes), asked)
        self._paused_until = now + min(pause, left)
        log.warning("No new token (%s); the current one is used for %.0f s more", error, left)


class TokenProvider:
    """A credential's tokens, one cache for each audience.

    Args:
        credential: signs in.
        max_attempts: at a request that callers wait for; 1: no retries.
    """

    def __init__(self, credential: Credential, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._credential = credential
        self._max_attempts = max_attempts
        self._caches: dict[str, TokenCache] = {}
        self._prefetching: asyncio.Task[None] | None = None

    def prefetch(self, audience: str) -> None:
        """Request the first token for `audience` (as `get`) in the background of a running loop.

        Callers who need it meanwhile wait for the same request. A failure is forgotten: the next
        caller's request starts without a pause, and with all its attempts.
        """
        self._prefetching = asyncio.create_task(self._prefetch(audience))

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL, URI or GUID, without `/.default`).

        Raises:
            SignInError: no token is available.
        """
        self._credential.refresh_if_due()
        cache = self._caches.get(audience)
        if cache is None:
            request = partial(self._credential.request_token, audience)
            cache = TokenCache(request, max_attempts=self._max_attempts)
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
        """What needs action before signing in fails."""
        return self._credential.warnings
