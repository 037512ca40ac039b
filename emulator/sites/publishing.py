"""Publishing: what clients call when they publish code, or ask for regions of Azure Monitor."""

import ssl
from collections import Counter

from aiohttp import web

from emulator.server import Server

REGIONS = {
    "regions": {
        "westeurope": {
            "geo": "europe",
            "pairedRegions": ["northeurope"],
            "laRegionCode": "WEU",
        }
    }
}
"""What the Azure CLI looks a region's workspace up in, when it creates a Function App."""

DEPLOYMENT = {
    "id": "latest",
    "status": 4,
    "complete": True,
    "active": True,
    "provisioningState": "Succeeded",
}
"""Kudu's answer for a deployment that has succeeded."""

ZIP = "application/zip"
"""What One Deploy, of Flex Consumption, takes; it answers 415 to any other type, such as that which
the Azure CLI's `az functionapp deploy` sends (Azure/azure-cli, issue 33688)."""


class Publishing:
    """Accepts deployment packages and discards them: sites run this project's own code.

    Args:
        tls: the server side of TLS, for *.scm.azurewebsites.net and appinsights.azureedge.net.

    Attributes:
        packages: accepted so far, by the site's publishing host name.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.packages: Counter[str] = Counter()
        routes = [
            web.post("/api/publish", self._publish),
            web.post("/api/zipdeploy", self._accept),
            web.get("/api/deployments/{id}", self._deployment),
            web.get("/portal/regionMapping.json", self._regions),
        ]
        self.server = Server("publishing", routes, tls)

    async def _publish(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") and request.content_type != ZIP:
            return web.Response(status=415)
        return await self._accept(request)

    async def _accept(self, request: web.Request) -> web.Response:
        if not request.headers.get("Authorization"):
            return web.Response(status=401)
        async for _ in request.content.iter_any():
            pass  # nothing is kept of a package
        self.packages[request.host] += 1
        return web.json_response(DEPLOYMENT, status=202)

    async def _deployment(self, _: web.Request) -> web.Response:
        return web.json_response(DEPLOYMENT)

    async def _regions(self, _: web.Request) -> web.Response:
        return web.json_response(REGIONS)
