"""AppService: all web apps and Function Apps, each with what runs its code."""

import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack

from bot_workbench.emulator.sites.front_end import SiteFrontEnd
from bot_workbench.emulator.sites.site import DOMAIN, Site, SiteCode


class AppService:
    """Starts, restarts and ends the code of sites as they change.

    Args:
        tls: the server side of TLS, for *.azurewebsites.net.
        run: starts to run a site's code.

    Attributes:
        front_end: the server in front of them.
    """

    def __init__(self, tls: ssl.SSLContext, run: Callable[[Site], SiteCode]) -> None:
        self.front_end = SiteFrontEnd(tls)
        self._run = run

    def change(self, site: Site) -> None:
        """Create a site, or restart it with its new settings."""
        code = self.front_end.codes.get(site.host.lower())
        if code is None:
            self.front_end.codes[site.host.lower()] = self._run(site)
        else:
            code.change(site)

    async def remove(self, name: str) -> None:
        """Delete a site; an unknown name is no error."""
        code = self.front_end.codes.pop(f"{name}.{DOMAIN}".lower(), None)
        if code is not None:
            await code.stop()

    def code(self, name: str) -> SiteCode:
        """The code that runs at a site.

        Raises:
            KeyError: there is no site of that name.
        """
        return self.front_end.codes[f"{name}.{DOMAIN}".lower()]

    async def stop(self) -> None:
        """End the code of all sites, even if one cannot be ended."""
        async with AsyncExitStack() as stack:
            for code in self.front_end.codes.values():
                stack.push_async_callback(code.stop)
            self.front_end.codes.clear()
