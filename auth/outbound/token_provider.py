"""TokenProvider: a credential's tokens by audience, each cached and refreshed in the background."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from auth.errors import EndpointDown, SignInError, Throttled, VaultForbidden
from http_client.observer import moment
from http_client.retry import Backoff

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AccessToken:
    """A bearer token for one audience.

    Attributes:
        value: the token itself; not in `repr`, so that it cannot reach a log.
        expires_on: when the token expires, in seconds since the epoch.
        thumbprint: SHA-1 thumbprint, in upper-case hex, of the certificate that signed in; empty if
            no certificate was used.
        certificate_expires_on: when that certificate expires, in seconds since the epoch; 0 if no
            certificate was used.
    """

    value: str
    expires_on: float
    thumbprint: str = ""
    certificate_expires_on: float = 0.0

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class Credential(ABC):
    """One way to sign the bot in. Credentials do not cache tokens; TokenCache does."""

    @abstractmethod
    async def request_token(self, audience: str) -> AccessToken:
        """Request a new token.

        Args:
            audience: URL or GUID, without `/.default`.

        Raises:
            SignInError: no token is available; the text names the setting or role to fix.
        """

    async def request_user_token(self, scopes: Sequence[str], user_token: str) -> AccessToken:
        """Request a new token on behalf of a user (OAuth 2.0 on-behalf-of flow).

        Args:
            scopes: those of one service.
            user_token: the user's token for the bot's app registration (a JWT). It is neither kept,
                logged nor quoted.

        Raises:
            SignInError: as `request_token`; always, for a credential without an app registration.
        """
        raise SignInError(
            "a managed identity cannot exchange users' tokens: only an app registration can, with"
            " BotCredential=Federated or a certificate (docs/credentials.md says how to choose)"
        )

    def refresh_if_due(self) -> None:  # noqa: B027  # most credentials have nothing that ages
        """Start any background work that is due. Called whenever a token is needed."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lines about what needs action before signing in fails."""
        return ()


MAX_ATTEMPTS = 6
"""The number of attempts at a request that callers wait for, if the failures may be transient: a
short outage, or a role that has just been granted."""


class TokenProvider:
    """A credential's tokens, one cache for each audience.

    Args:
        credential: signs the bot in.
        max_attempts: the number of attempts at a request that callers wait for; 1 means no retries.
    """

    def __init__(self, credential: Credential, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._credential = credential
        self._max_attempts = max_attempts
        self._caches: dict[str, TokenCache] = {}
        self._prefetching: asyncio.Task[None] | None = None

    def prefetch(self, audience: str) -> None:
        """Request the first token for `audience` (as in `get`) as a task of the running event loop.

        Callers that need the token meanwhile wait for the same request. A failure is forgotten: the
        next caller's request starts without a pause, and with all its attempts.
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
            request = partial(_request, self._credential, audience)
            cache = TokenCache(request, max_attempts=self._max_attempts)
            self._caches[audience] = cache
        return await cache.get()

    async def on_behalf_of(self, scopes: Sequence[str], user_token: str) -> AccessToken:
        """A new token on behalf of a user, for each call: no user's token is kept.

        Args:
            scopes: those of one service, such as https://graph.microsoft.com/User.Read.
            user_token: the user's token for the bot's app registration (a JWT).

        Raises:
            SignInError: no token is available.
        """
        self._credential.refresh_if_due()

        async def request() -> AccessToken:
            return await self._credential.request_user_token(scopes, user_token)

        # For its retries and its time limit; it ends with the call.
        return await TokenCache(request, max_attempts=self._max_attempts).get()

    async def _prefetch(self, audience: str) -> None:
        try:
            await self.get(audience)
        except SignInError as error:
            del self._caches[audience]
            log.warning("No first token yet: %s", error)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lines about what needs action before signing in fails."""
        return self._credential.warnings


EXPIRY_MARGIN_SECONDS = 60
"""The time before its expiry from which a token is not used."""

MIN_USE_SECONDS = 1.0
"""The shortest time for which any token is used: one that arrives just before its expiry must not
cost a request for each turn."""

REQUEST_TIMEOUT_SECONDS = 10.0
"""The time limit of one token request, retries included."""

RETRY_BACKOFF = Backoff(first=0.25, longest=2.0, jitter=0.0)
"""The pauses between these MAX_ATTEMPTS attempts, about six seconds in total."""

REFRESH_BACKOFF = Backoff(first=1.0, longest=30.0, jitter=0.0)
"""The pauses after failed requests while the current token is still valid."""

FAILURE_PAUSE_SECONDS = 1.0
"""The pause after a failed request if there is no valid token; until it ends, callers get the same
failure."""

_TRANSIENT = (EndpointDown, VaultForbidden)


class TokenCache:
    """Caches one audience's token, and requests a new one as rarely as possible.

    There is one request at a time, however many callers wait. After half of its lifetime, a token
    is refreshed in the background and stays in use meanwhile, so callers notice an outage of the
    sign-in endpoint only when the token expires. A request that callers wait for is retried, unless
    the previous request failed too.

    Args:
        request: asks the credential for a new token.
        max_attempts: the number of attempts at a request that callers wait for; 1 means no retries.
        request_timeout: seconds that a request may take, retries included.
        clock: returns the time in seconds since the epoch.
        sleep: waits for the given number of seconds.
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
        """A token that is valid for at least a minute, unless it arrived with less time left.

        Raises:
            SignInError: no valid token is cached, and no new one is available.
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
        # Shielded: a canceled caller must not cancel the request that others wait for.
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
        # After half of its lifetime or two thirds of the time that it is used, whichever is sooner:
        # a token may arrive shortly before it expires.
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
        # A bug must pause further requests like a refusal, and lead to status 503.
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
        # The pause must not outlast the token: without one, callers wait.
        pause = max(REFRESH_BACKOFF.pause(self._failed_refreshes), asked)
        self._paused_until = now + min(pause, left)
        log.warning("No new token (%s); the current one is used for %.0f s more", error, left)


@moment("token.request")
async def _request(credential: Credential, audience: str) -> AccessToken:
    return await credential.request_token(audience)
