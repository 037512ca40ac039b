"""AppService: all web apps and Function Apps, each with what runs its code, behind one server."""

import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack

from aiohttp import web

from bot_workbench.emulator.server import Server
from bot_workbench.emulator.sites.site import DOMAIN, Site, SiteCode

STOPPED_PAGE = "<h1>Error 403 - This web app is stopped.</h1>\n"
UNKNOWN_PAGE = "<h1>404 Web Site not found.</h1>\n"


def page(status: int, html: str) -> web.Response:
    """A page of the front end's own."""
    return web.Response(status=status, text=html, content_type="text/html")


class AppService:
    """Starts, restarts and ends the code of sites as they change, and passes each request to the
    site that its Host header names.

    Args:
        tls: the server side of TLS, for *.azurewebsites.net.
        run: starts to run a site's code.

    Attributes:
        codes: what runs each site, by host name in lower case.
    """

    def __init__(self, tls: ssl.SSLContext, run: Callable[[Site], SiteCode]) -> None:
        self.codes: dict[str, SiteCode] = {}
        self.server = Server("sites", [web.route("*", "/{path:.*}", self._answer)], tls)
        self._run = run

    def change(self, site: Site) -> None:
        """Create a site, or restart it with its new settings."""
        code = self.codes.get(site.host.lower())
        if code is None:
            self.codes[site.host.lower()] = self._run(site)
        else:
            code.change(site)

    async def remove(self, name: str) -> None:
        """Delete a site; an unknown name is no error."""
        code = self.codes.pop(f"{name}.{DOMAIN}".lower(), None)
        if code is not None:
            await code.stop()

    def code(self, name: str) -> SiteCode:
        """The code that runs at a site.

        Raises:
            KeyError: there is no site of that name.
        """
        return self.codes[f"{name}.{DOMAIN}".lower()]

    async def stop(self) -> None:
        """End the code of all sites, even if one cannot be ended."""
        async with AsyncExitStack() as stack:
            for code in self.codes.values():
                stack.push_async_callback(code.stop)
            self.codes.clear()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host, _, _ = request.host.lower().partition(":")
        code = self.codes.get(host)
        return await code.answer(request) if code else page(404, UNKNOWN_PAGE)
