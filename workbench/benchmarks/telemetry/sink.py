"""TelemetrySink: a collector and Application Insights' endpoint in one, which count and forget."""

import gzip
import json
import ssl

from aiohttp import web

from bot_workbench.emulator.server import Server


class TelemetrySink:
    """Takes everything that exporters post.

    Args:
        tls: the server side of TLS for Application Insights' endpoint.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._collector = Server("collector", [web.post("/v1/{signal}", self._export)])
        self._insights = Server("insights", [web.post("/v2.1/track", self._track)], tls)

    async def start(self) -> None:
        """Listen."""
        await self._collector.start()
        await self._insights.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._collector.stop()
        await self._insights.stop()

    @property
    def collector_url(self) -> str:
        """The OTLP endpoint."""
        return self._collector.url

    @property
    def insights_url(self) -> str:
        """Application Insights' ingestion endpoint."""
        return f"{self._insights.url}/"

    @property
    def requests(self) -> int:
        """The number of requests that have arrived so far."""
        return sum(self._collector.requests.values()) + sum(self._insights.requests.values())

    async def _export(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async def _track(self, request: web.Request) -> web.Response:
        body = await request.read()
        # aiohttp decompresses a body itself, as its Content-Encoding says.
        items = len(json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body))
        return web.json_response({"itemsReceived": items, "itemsAccepted": items, "errors": []})
