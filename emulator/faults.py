"""Faults: how one server of the local cloud misbehaves, switched while it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Faults:
    """Switches of one server; the defaults are a healthy one.

    Attributes:
        latency: seconds to wait before each answer.
        status: answer this HTTP status in place of the real one (for example 429, 500, 503).
        retry_after: seconds, sent as `Retry-After` with a faulty status.
        silent: take the request and never answer.
        html: the body of a faulty answer is an HTML page, as proxies send, instead of JSON.
        every: be faulty only for each n-th request (1: all of them).
        remaining: be faulty for this many requests more, then healthy again; None: no end.
        path: be faulty only where the request's path contains this text.
    """

    latency: float = 0.0
    status: int | None = None
    retry_after: int | None = None
    silent: bool = False
    html: bool = False
    every: int = 1
    remaining: int | None = None
    path: str = ""
    _seen: int = 0

    def set(self, **switches: object) -> None:
        """Become healthy but for the given switches.

        Raises:
            TypeError: a switch of that name does not exist.
        """
        fresh = replace(Faults(), **switches)  # type: ignore[arg-type]  # names are checked by replace itself
        for field in fields(self):
            setattr(self, field.name, getattr(fresh, field.name))

    def clear(self) -> None:
        """Become healthy."""
        self.set()

    def _strikes(self, path: str) -> bool:
        if (self.status is None and not self.silent) or self.path not in path:
            return False
        if self.remaining is not None and self.remaining <= 0:
            return False
        self._seen += 1
        if self._seen % self.every:
            return False
        if self.remaining is not None:
            self.remaining -= 1
        return True

    def middleware(self) -> Middleware:
        """The aiohttp middleware that applies these switches in front of a server's handlers."""

        @web.middleware
        async def apply(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.latency:
                await asyncio.sleep(self.latency)
            if not self._strikes(request.path):
                return await handler(request)
            if self.silent:
                await asyncio.Event().wait()
            return self._faulty_answer()

        return apply

    def _faulty_answer(self) -> web.Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        status = self.status or 500
        if self.html:
            page = "<html><body>The service is unavailable.</body></html>"
            return web.Response(status=status, text=page, content_type="text/html", headers=headers)
        error = {"error": "fault", "error_description": "A fault was switched on."}
        return web.json_response(error, status=status, headers=headers)
