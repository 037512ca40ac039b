"""AccountProxy: a proxy in front of the storage emulator, which can inject faults."""

from collections.abc import Mapping

import aiohttp
from aiohttp import web
from yarl import URL

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.server import Server

_OWN_HEADERS = {"connection", "content-length", "host", "transfer-encoding"}
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp adds by itself."""


class AccountProxy:
    """Passes requests on to Azurite: one server for blobs, and one for queues.

    Args:
        connection_string: the account's, for Azurite.

    Attributes:
        connection_string: the account's, for this proxy; known once it is started.
        servers: the proxy's, in which faults are injected.
    """

    def __init__(self, connection_string: str) -> None:
        self.connection_string = connection_string
        self._ports: dict[str, int] = {}
        self.servers: list[Server] = []
        self._session: aiohttp.ClientSession | None = None
        for service, url in _endpoints(connection_string).items():
            self._ports[service] = url.port or 0
            route = web.route("*", "/{tail:.*}", self._passing(url))
            self.servers.append(Server(service, [route]))

    async def start(self) -> None:
        """Start listening."""
        self._session = aiohttp.ClientSession(auto_decompress=False)
        for each in self.servers:
            await each.start()
            port = f":{self._ports[each.name]}/"
            self.connection_string = self.connection_string.replace(port, f":{each.port}/")

    async def stop(self) -> None:
        """Close the ports."""
        for each in self.servers:
            await each.stop()
        if self._session is not None:
            await self._session.close()

    def _passing(self, url: URL) -> Handler:
        """A handler that passes requests on to a service."""

        async def passed_on(request: web.Request) -> web.StreamResponse:
            assert self._session is not None  # noqa: S101  # it listens
            async with self._session.request(
                request.method,
                URL(f"{url.origin()}{request.raw_path}", encoded=True),
                headers=_content(request.headers),
                data=await request.read(),
                skip_auto_headers=_NOT_ADDED,
            ) as answer:
                headers, body = _content(answer.headers), await answer.read()
                return web.Response(status=answer.status, headers=headers, body=body)

        return passed_on


def _endpoints(connection_string: str) -> dict[str, URL]:
    settings = dict(pair.split("=", 1) for pair in connection_string.split(";"))
    return {name: URL(settings[f"{name}Endpoint"]) for name in ("Blob", "Queue")}


def _content(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those of the connection itself."""
    return {name: text for name, text in headers.items() if name.lower() not in _OWN_HEADERS}
