"""Site: what Resource Manager says of a web app or Function App, and what runs its code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiohttp import web

DOMAIN = "azurewebsites.net"


@dataclass(frozen=True)
class Site:
    """One web app or Function App, as it is wanted now.

    Attributes:
        name: unique in Azure; the site's host name is NAME.azurewebsites.net.
        is_function_app: it runs this project's code; otherwise, it runs the old bot.
        settings: app settings by name.
        identities: principal ids (GUID) by client id (GUID); the system-assigned identity's client
            id is `system`.
        enabled: it is not stopped.
        keys: function keys that callers may send, for any function.
        master_key: opens the host's own routes, below /admin.
        package: the folder of the package that was published; None: it runs this project's app.
    """

    name: str
    is_function_app: bool
    settings: Mapping[str, str] = field(default_factory=dict)
    identities: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    keys: tuple[str, ...] = ()
    master_key: str = ""
    package: Path | None = None

    @property
    def host(self) -> str:
        """Its host name."""
        return f"{self.name}.{DOMAIN}"


class SiteCode(Protocol):
    """Runs a site's code."""

    def change(self, site: Site) -> None:
        """Restart it with the new settings."""

    async def settled(self) -> None:
        """Wait until it runs with its latest settings, or has failed to start with them."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a caller's request."""

    async def stop(self) -> None:
        """End it."""
