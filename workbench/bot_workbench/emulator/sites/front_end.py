"""SiteFrontEnd: the HTTPS server in front of all sites."""

import ssl

from aiohttp import web

from bot_workbench.emulator.server import Server
from bot_workbench.emulator.sites.site import SiteCode

STOPPED_PAGE = "<h1>Error 403 - This web app is stopped.</h1>\n"
UNKNOWN_PAGE = "<h1>404 Web Site not found.</h1>\n"


class SiteFrontEnd:
    """Passes each request to the site that its Host header names.

    Args:
        tls: the server side of TLS, for *.azurewebsites.net.

    Attributes:
        codes: what runs each site, by host name in lower case.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.codes: dict[str, SiteCode] = {}
        self.server = Server("sites", [web.route("*", "/{path:.*}", self._answer)], tls)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host, _, _ = request.host.lower().partition(":")
        code = self.codes.get(host)
        if code is None:
            return page(404, UNKNOWN_PAGE)
        return await code.answer(request)


def page(status: int, html: str) -> web.Response:
    """A page of the front end's own."""
    return web.Response(status=status, text=html, content_type="text/html")
