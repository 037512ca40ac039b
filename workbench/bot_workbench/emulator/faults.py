"""Faults: what goes wrong at one server of the local cloud, switched while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, fields, replace

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ENDLESS_BODY_INTERVAL_SECONDS = 0.02
"""Between two bytes of a body that never ends."""

FAULT = "A fault was switched on."

DISCONNECT_POLL_SECONDS = 0.05
"""Between two looks at whether a caller has closed its connection."""


@dataclass
class Faults:
    """Fault switches of one server; the defaults are a healthy server.

    Attributes:
        latency: seconds to wait before each response.
        status: respond with this HTTP status instead of the real one (for example 429, 500, 503).
        retry_after: seconds, or an HTTP date, sent as `Retry-After` with a faulty status.
        silent: accept the request and never respond; it ends when the caller gives up.
        cut: close the connection instead of responding.
        handled: whether a faulty request is carried out, so that only its response is faulty.
        html: the body of a faulty response is an HTML page, as proxies send, instead of JSON.
        body: the body of a faulty response, as JSON text; None sends an error object, see `error`.
        endless: the body of a faulty response starts and never ends.
        every: only every n-th request is faulty (1: all of them).
        remaining: this many more requests are faulty, then none; None: no limit.
        path: only requests whose path and query contain this text are faulty.
        error: the error object by its status; no switch, but what the server's errors look like.
        held: how many requests `hold` keeps waiting now; no switch either.
    """

    latency: float = 0.0
    status: int | None = None
    retry_after: int | str | None = None
    silent: bool = False
    cut: bool = False
    handled: bool = False
    html: bool = False
    body: str | None = None
    endless: bool = False
    every: int = 1
    remaining: int | None = None
    path: str = ""
    _matched: int = 0

    def __post_init__(self) -> None:
        self.error: Callable[[int], object] = _oauth_error
        self.held = 0

    def set(self, **switches: object) -> None:
        """Set the given switches, and every other one to its default.

        Raises:
            TypeError: there is no switch of that name.
        """
        fresh = replace(Faults(), **switches)  # type: ignore[arg-type]  # names are checked by replace itself
        for field in fields(self):
            setattr(self, field.name, getattr(fresh, field.name))

    def switched(self) -> dict[str, object]:
        """The switches that are not at their default, by name."""
        healthy = Faults()
        names = [field.name for field in fields(self) if not field.name.startswith("_")]
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value != getattr(healthy, name)}

    def clear(self) -> None:
        """Make the server healthy."""
        self.set()

    def middleware(self) -> Middleware:
        """The aiohttp middleware that applies these switches in front of a server's handlers."""

        @web.middleware
        async def apply(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.latency:
                await asyncio.sleep(self.latency)
            if not self._applies_to(request):
                return await handler(request)
            if self.handled:
                await handler(request)
            if self.silent:
                await self.hold(request)
            if self.cut and request.transport is not None:
                request.transport.abort()
            return self._faulty_response()

        return apply

    async def hold(self, request: web.Request) -> None:
        """Send nothing more, until the caller has closed the connection."""
        self.held += 1
        try:
            await until_disconnected(request)
        finally:
            self.held -= 1

    def _applies_to(self, request: web.Request) -> bool:
        is_faulty = self.status is not None or self.silent or self.cut
        if not is_faulty or self.path not in request.path_qs:
            return False
        if self.remaining is not None and self.remaining <= 0:
            return False
        self._matched += 1
        if self._matched % self.every:
            return False
        if self.remaining is not None:
            self.remaining -= 1
        return True

    def _faulty_response(self) -> web.Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        status = self.status or 500
        if self.html:
            page = "<html><body>The service is unavailable.</body></html>"
            return web.Response(status=status, text=page, content_type="text/html", headers=headers)
        if self.endless:
            blanks, json_type = _endless_body(), "application/json"
            return web.Response(status=status, body=blanks, content_type=json_type, headers=headers)
        if self.body is not None:
            return web.json_response(text=self.body, status=status, headers=headers)
        return web.json_response(self.error(status), status=status, headers=headers)


def _oauth_error(_: int) -> object:
    """As Entra's (RFC 6749, section 5.2)."""
    return {"error": "fault", "error_description": FAULT}


async def until_disconnected(request: web.Request) -> None:
    """Wait until the caller has closed the connection.

    aiohttp has no event for that, so poll. A handler that waits on an event nobody sets would be
    garbage collected with its connection while pending, and asyncio would log that.
    """
    while request.transport is not None:  # noqa: ASYNC110  # there is no event
        await asyncio.sleep(DISCONNECT_POLL_SECONDS)


async def _endless_body() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(ENDLESS_BODY_INTERVAL_SECONDS)
