"""TokenThread: tokens for callers that cannot await, or that run on event loops of their own."""

import asyncio
import threading
import time
from concurrent.futures import Future

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
        self._started: Future[asyncio.AbstractEventLoop] | None = None
        self._thread: threading.Thread | None = None
        self._latest: dict[str, AccessToken] = {}
        self._tokens: TokenProvider
        self._stopped: asyncio.Event

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: no token is available.
        """
        loop = await asyncio.wrap_future(self._start())
        return await asyncio.wrap_future(self._request(loop, audience))

    def get_now(self, audience: str) -> AccessToken:
        """The same for a caller that cannot await; it blocks only if no valid token is cached.

        Raises:
            SignInError: no token is available.
        """
        request = self._request(self._start().result(), audience)
        latest = self._latest.get(audience)
        if latest is not None and latest.expires_on - EXPIRY_MARGIN_SECONDS > time.time():
            return latest
        return request.result()

    async def close(self) -> None:
        """End the thread and close its connections; a later request starts it anew."""
        with self._lock:
            started, self._started = self._started, None
            thread, self._thread = self._thread, None
        if started is None or thread is None:
            return
        if await asyncio.to_thread(started.exception) is None:
            started.result().call_soon_threadsafe(self._stopped.set)
        await asyncio.to_thread(thread.join)
        self._latest.clear()

    def _start(self) -> "Future[asyncio.AbstractEventLoop]":
        """The thread's event loop, once it runs."""
        with self._lock:
            if self._started is None:
                self._started = Future()
                # A daemon: a program that does not close it can end.
                self._thread = threading.Thread(
                    target=self._run, args=[self._started], name="bot tokens", daemon=True
                )
                self._thread.start()
            return self._started

    def _run(self, started: "Future[asyncio.AbstractEventLoop]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            # Whoever waits for the start gets it: a package may be missing.
            started.set_exception(error)

    async def _serve(self, started: "Future[asyncio.AbstractEventLoop]") -> None:
        pool = HttpPool()
        self._tokens = TokenProvider(credential_for(self._settings, pool))
        self._stopped = asyncio.Event()
        started.set_result(asyncio.get_running_loop())
        await self._stopped.wait()
        await pool.close()

    def _request(self, loop: asyncio.AbstractEventLoop, audience: str) -> "Future[AccessToken]":
        return asyncio.run_coroutine_threadsafe(self._get(audience), loop)

    async def _get(self, audience: str) -> AccessToken:
        token = await self._tokens.get(audience)
        self._latest[audience] = token
        return token
