"""Server: one HTTP or HTTPS server of the local cloud, on loopback."""

import asyncio
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from bot_workbench.emulator.cross_origin import has_loopback_host, is_cross_origin
from bot_workbench.emulator.faults import Faults, Handler
from bot_workbench.emulator.loopback import LOCALHOST, LOOPBACK

Around = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

RESTART_SECONDS = 5.0
"""The time for which a server that starts again waits for its port: meanwhile, an outgoing
connection of any program may have it."""


@dataclass(frozen=True)
class Exchange:
    """A request and its response.

    Attributes:
        server: the server's name.
        method: HTTP method.
        path: unescaped.
        query: without `?`, still escaped.
        request: the body.
        status: HTTP status; None: the connection ended without a response.
        response: the body; empty for a stream.
        at: when the request arrived, in seconds since 1970.
        ms: until there was a response.
    """

    server: str
    method: str
    path: str
    query: str
    request: bytes
    status: int | None
    response: bytes
    at: float
    ms: float


class Server:
    """Serves one part of the local cloud, counts its requests and applies its faults.

    Requests from pages of other sites are refused with 403.

    Args:
        name: what the command line and the switches call it.
        routes: the part's aiohttp routes.
        tls: the server side of TLS; None serves plain HTTP.
        loopback_host_only: also refuse requests whose Host header does not name this machine, which
            prevents DNS rebinding. Not for stand-ins of Microsoft's services: a test setup may map
            a service's host name to its stand-in.
        host: names this machine in the URL.
    """

    def __init__(
        self,
        name: str,
        routes: Iterable[web.AbstractRouteDef],
        tls: ssl.SSLContext | None = None,
        *,
        loopback_host_only: bool = False,
        host: str = LOCALHOST,
    ) -> None:
        self.name = name
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        """Requests accepted so far by `"METHOD /path"`, faulty ones included."""
        self.around: Around | None = None
        """Called in place of the handlers, with the request and them: for tests that must know when
        a request has been carried out, or that end its caller then."""
        self.observer: Callable[[Exchange], None] | None = None
        """Called after each request, faulty ones included; None: nobody observes."""
        self.connections = 0
        """TCP connections accepted so far."""
        self.under_way = 0
        """Requests that have no complete response yet."""
        self.port = 0
        self._routes = list(routes)
        self._tls = tls
        self._loopback_host_only = loopback_host_only
        self._host = host
        self._runner: web.AppRunner | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0, listening: socket.socket | None = None) -> None:
        """Listen on `port`; 0 takes the port of the last start, or a free one the first time.

        Args:
            port: see there.
            listening: a socket that listens already, in place of a port.
        """
        app = web.Application(
            middlewares=[
                self._refuse_cross_origin,
                self._count,
                self._observe,
                self.faults.middleware(),
            ],
            client_max_size=8 * 1024 * 1024,
        )
        app.add_routes(self._routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        if listening is None:
            await self._listen(self._runner, port)
        else:
            await web.SockSite(self._runner, listening, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]

    async def _listen(self, runner: web.AppRunner, port: int) -> None:
        last = asyncio.get_running_loop().time() + RESTART_SECONDS
        while True:
            site = web.TCPSite(runner, LOOPBACK, port or self.port, ssl_context=self._tls)
            try:
                await site.start()
            except OSError:
                is_restart = self.port and not port
                if not is_restart or asyncio.get_running_loop().time() > last:
                    raise
                await site.stop()
                await asyncio.sleep(0.05)
            else:
                return

    async def stop(self) -> None:
        """Close the socket and every connection: callers see a refused connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            # TLS would wait for the caller's close_notify; a stopped server does not.
            for transport in self._transports:
                transport.abort()
            await asyncio.sleep(0)

    @web.middleware
    async def _refuse_cross_origin(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        rebound = self._loopback_host_only and not has_loopback_host(request.headers)
        if rebound or is_cross_origin(request.headers, "https" if self._tls else "http"):
            raise web.HTTPForbidden(text="Requests from pages of other sites are refused.")
        return await handler(request)

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests[f"{request.method} {request.path}"] += 1
        if request.transport is not None and request.transport not in self._transports:
            self._transports = {each for each in self._transports if not each.is_closing()}
            self._transports.add(request.transport)
            self.connections += 1
        self.under_way += 1
        try:
            if self.around is not None:
                return await self.around(request, handler)
            return await handler(request)
        finally:
            self.under_way -= 1

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.observer is None:
            return await handler(request)
        at, start = time.time(), time.perf_counter()
        body = await request.read()  # handlers get the same bytes again
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPException as refusal:
            self._report(request, body, refusal, at, start)
            raise
        self._report(request, body, response, at, start)
        return response

    def _report(
        self,
        request: web.Request,
        body: bytes,
        response: web.StreamResponse,
        at: float,
        start: float,
    ) -> None:
        if self.observer is None:
            return
        is_open = request.transport is not None and not request.transport.is_closing()
        sent = response.body if isinstance(response, web.Response) else b""
        self.observer(
            Exchange(
                self.name,
                request.method,
                request.path,
                request.query_string,
                body,
                response.status if is_open else None,
                sent if isinstance(sent, bytes) else b"",
                at,
                (time.perf_counter() - start) * 1000,
            )
        )
