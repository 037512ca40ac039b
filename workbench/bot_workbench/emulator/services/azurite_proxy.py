"""AzuriteProxy: stands between the bot and its storage, so that faults can be injected there."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from bot_workbench.emulator.functions.storage.connection_string import DEVELOPMENT_STORAGE
from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.server import Server

ENDPOINTS = {"blobs": "BlobEndpoint", "queues": "QueueEndpoint"}
"""The part of a connection string by service. Nothing of the bot uses tables."""

_OF_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})
_OF_CLIENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add by itself, and signatures may cover."""


class AzuriteProxy:
    """Passes requests on to Azurite, on a port for each service.

    Signatures stay valid: they cover neither host nor port (Microsoft's reference "Authorize with
    Shared Key").

    Args:
        connection_string: Azurite's.

    Attributes:
        servers: by service, once it is started.
    """

    def __init__(self, connection_string: str) -> None:
        is_short = connection_string.lower().startswith("usedevelopmentstorage=true")
        text = DEVELOPMENT_STORAGE if is_short else connection_string
        self._settings = dict(part.split("=", 1) for part in text.rstrip(";").split(";"))
        self._session: aiohttp.ClientSession | None = None
        self.servers = {
            name: Server(name, [web.route("*", "/{tail:.*}", self._handler(setting))])
            for name, setting in ENDPOINTS.items()
        }

    async def start(self) -> None:
        """Open the ports."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        for server in self.servers.values():
            await server.start()

    async def stop(self) -> None:
        """Close the ports, and the connections to Azurite."""
        for server in self.servers.values():
            await server.stop()
        if self._session is not None:
            await self._session.close()

    def connection_string(self) -> str:
        """The storage's connection string, through the proxy."""
        settings = dict(self._settings)
        for name, setting in ENDPOINTS.items():
            port = self.servers[name].port
            settings[setting] = urlunsplit(
                urlsplit(settings[setting])._replace(netloc=f"{LOOPBACK}:{port}")
            )
        return ";".join(f"{name}={value}" for name, value in settings.items())

    def _handler(self, setting: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        origin = urlsplit(self._settings[setting])

        async def handle(request: web.Request) -> web.StreamResponse:
            url = URL(f"{origin.scheme}://{origin.netloc}{request.raw_path}", encoded=True)
            try:
                return await self._passed_on(request, url)
            except aiohttp.ClientError:  # Azurite is gone: so is the connection
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=502)

        return handle

    async def _passed_on(self, request: web.Request, url: URL) -> web.Response:
        if self._session is None:
            raise aiohttp.ClientConnectionError
        headers = [pair for pair in request.headers.items() if _is_passed_on(pair[0])]
        async with self._session.request(
            request.method,
            url,
            headers=headers,
            data=request.content if request.body_exists else None,
            skip_auto_headers=_OF_CLIENT,
            allow_redirects=False,
        ) as answer:
            passed = CIMultiDict(pair for pair in answer.headers.items() if _is_passed_on(pair[0]))
            # Nothing is sent before all of it is here, so that a fault can still replace it.
            body = await answer.read()
            return web.Response(status=answer.status, headers=passed, body=body)


def _is_passed_on(header: str) -> bool:
    return header.lower() not in _OF_CONNECTION
