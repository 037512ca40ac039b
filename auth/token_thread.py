"""TokenThread: tokens for callers that cannot await, or that run on event loops of their own."""

import asyncio
import threading
import time
from concurrent.futures import Future, wait
from functools import cached_property

from auth.outbound.credentials import credential_for
from auth.outbound.token_provider import EXPIRY_MARGIN_SECONDS, AccessToken, TokenProvider
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
        """End the thread and close its connections; a later request starts it anew.

        Requests that are under way are answered first, which takes up to ten seconds.
        """
        with self._lock:
            run, self._run = self._run, None
        if run is not None:
            await asyncio.to_thread(run.stop)

    def _request(self, audience: str) -> "tuple[_Run, Future[AccessToken]]":
        # Under the lock: a request submitted to a thread that has stopped might never be answered.
        with self._lock:
            if self._run is None:
                self._run = _Run(self._settings)
            return self._run, self._run.request(audience)


class _Run:
    """One run of the thread, from the first request to `stop`.

    Args:
        settings: choose the credential.

    Attributes:
        latest: the latest token of each audience.
    """

    def __init__(self, settings: Settings) -> None:
        self.latest: dict[str, AccessToken] = {}
        self._pending: set[Future[AccessToken]] = set()
        self._settings = settings
        self._pool = HttpPool()
        self._stopped = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that does not close it can end.
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(), loop_factory=lambda: self._loop),
            name="bot tokens",
            daemon=True,
        )
        self._thread.start()

    def request(self, audience: str) -> "Future[AccessToken]":
        """Request a token; callable from any thread."""
        request = asyncio.run_coroutine_threadsafe(self._get(audience), self._loop)
        self._pending.add(request)
        request.add_done_callback(self._pending.discard)
        return request

    def stop(self) -> None:
        """Wait for the pending requests, then end the run; call it after the last request."""
        wait(self._pending)
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

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
