"""TokenThread: tokens for callers that cannot await, or that run on event loops of their own."""

import asyncio
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

from auth.outbound.credential import AccessToken
from auth.outbound.credentials import credential_for
from auth.outbound.token_provider import EXPIRY_MARGIN_SECONDS, TokenProvider
from auth.settings import Settings
from http_client.pool import HttpPool


@dataclass(frozen=True)
class _Running:
    """One run of the thread: what it serves, until `stopped` is set on its event loop.

    Attributes:
        loop: its event loop.
        tokens: signs the bot in.
        stopped: ends it.
        latest: the latest token of each audience.
    """

    loop: asyncio.AbstractEventLoop
    tokens: TokenProvider
    stopped: asyncio.Event
    latest: dict[str, AccessToken] = field(default_factory=dict)

    def stop(self) -> None:
        """End the run; callable from any thread."""
        self.loop.call_soon_threadsafe(self.stopped.set)


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
        self._started: Future[_Running] | None = None
        self._thread: threading.Thread | None = None

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: no token is available.
        """
        running = await asyncio.wrap_future(self._start())
        return await asyncio.wrap_future(self._request(running, audience))

    def get_now(self, audience: str) -> AccessToken:
        """The same for a caller that cannot await; it blocks only if no valid token is cached.

        Raises:
            SignInError: no token is available.
        """
        running = self._start().result()
        request = self._request(running, audience)
        latest = running.latest.get(audience)
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
            started.result().stop()
        await asyncio.to_thread(thread.join)

    def _start(self) -> "Future[_Running]":
        """The thread's run, once it has begun."""
        with self._lock:
            if self._started is None:
                self._started = Future()
                # A caller that is cancelled while it waits must not cancel the start of all.
                self._started.set_running_or_notify_cancel()
                # A daemon: a program that does not close it can end.
                self._thread = threading.Thread(
                    target=self._run, args=[self._started], name="bot tokens", daemon=True
                )
                self._thread.start()
            return self._started

    def _run(self, started: "Future[_Running]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            # Whoever waits for the start gets it: a package may be missing.
            started.set_exception(error)

    async def _serve(self, started: "Future[_Running]") -> None:
        pool = HttpPool()
        try:
            tokens = TokenProvider(credential_for(self._settings, pool))
            running = _Running(asyncio.get_running_loop(), tokens, asyncio.Event())
            started.set_result(running)
            await running.stopped.wait()
        finally:
            await pool.close()

    def _request(self, running: _Running, audience: str) -> "Future[AccessToken]":
        return asyncio.run_coroutine_threadsafe(self._get(running, audience), running.loop)

    @staticmethod
    async def _get(running: _Running, audience: str) -> AccessToken:
        token = await running.tokens.get(audience)
        running.latest[audience] = token
        return token
