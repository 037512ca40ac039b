"""TokenThread: tokens for callers that cannot await, or that run on event loops of their own."""

import asyncio
import threading
import time
from concurrent.futures import Future
from functools import cached_property

from auth.outbound.credential import AccessToken
from auth.outbound.credentials import credential_for
from auth.outbound.token_provider import EXPIRY_MARGIN_SECONDS, TokenProvider
from auth.settings import Settings
from http_client.pool import HttpPool


class TokenThread:
    """Signs the bot in on a thread of its own, which the first request starts.

    A caller on any thread or event loop gets the same tokens. Each request also refreshes a token
    in the background, once half of its lifetime is over.

    Args:
        settings: choose the credential.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._run: _Run | None = None

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: no token is available.
        """
        _, request = self._request(audience)
        return await asyncio.wrap_future(request)

    def get_now(self, audience: str) -> AccessToken:
        """The same for a caller that cannot await; it blocks only if no valid token is cached.

        Raises:
            SignInError: no token is available.
        """
        run, request = self._request(audience)
        latest = run.latest.get(audience)
        if latest is not None and latest.expires_on - EXPIRY_MARGIN_SECONDS > time.time():
            return latest
        return request.result()

    async def close(self) -> None:
        """End the thread and close its connections; a later request starts it anew."""
        with self._lock:
            run, self._run = self._run, None
            if run is not None:
                run.stop()
        if run is not None:
            await asyncio.to_thread(run.thread.join)

    def _request(self, audience: str) -> "tuple[_Run, Future[AccessToken]]":
        # In the lock, so that no request reaches a thread that has been stopped: it might never be
        # answered.
        with self._lock:
            if self._run is None:
                self._run = _Run(self._settings)
            return self._run, self._run.request(audience)


class _Run:
    """One run of the thread, from the first request to `stop`.

    Args:
        settings: choose the credential.

    Attributes:
        thread: the thread.
        latest: the latest token of each audience.
    """

    def __init__(self, settings: Settings) -> None:
        self.latest: dict[str, AccessToken] = {}
        self._settings = settings
        self._pool = HttpPool()
        self._stopped = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that does not close it can end.
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(), loop_factory=lambda: self._loop),
            name="bot tokens",
            daemon=True,
        )
        self.thread.start()

    def request(self, audience: str) -> "Future[AccessToken]":
        """Request a token; callable from any thread."""
        return asyncio.run_coroutine_threadsafe(self._get(audience), self._loop)

    def stop(self) -> None:
        """End the run; callable from any thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self) -> None:
        try:
            await self._stopped.wait()
        finally:
            await self._pool.close()

    async def _get(self, audience: str) -> AccessToken:
        token = await self._tokens.get(audience)
        self.latest[audience] = token
        return token

    @cached_property
    def _tokens(self) -> TokenProvider:
        """Signs the bot in; made on the thread, because it imports the credential's packages."""
        return TokenProvider(credential_for(self._settings, self._pool))
