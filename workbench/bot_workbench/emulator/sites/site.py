"""Site: what Resource Manager says of a web app or Function App, and what runs its code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiohttp import web

from bot_workbench.emulator.entra.identity_endpoint import SYSTEM
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.resource import Resource

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


PACKAGE = "package"
"""Where a site's resource keeps the folder of the package that was published."""

IDENTITY_FUNCTION = "identity"
"""The app's one function above the anonymous level."""


def name_of(resource: Resource) -> str:
    """A site's or slot's name in its host name; a slot's begins with its site's."""
    return str(resource.properties["defaultHostName"]).removesuffix(f".{DOMAIN}")


def site_of(resource: Resource, manager: ResourceManager) -> Site:
    """A `Microsoft.Web/sites` resource, or a slot, as App Service runs it.

    Args:
        resource: the site's.
        manager: has its settings and keys.
    """
    is_function_app = "functionapp" in str(resource.body.get("kind", "")).lower()
    package = resource.hidden.get(PACKAGE)
    keys = (manager.function_key(resource.id, IDENTITY_FUNCTION), manager.host_key(resource.id))
    return Site(
        name=name_of(resource),
        is_function_app=is_function_app,
        settings=manager.app_settings(resource.id),
        identities=_identities(resource),
        enabled=resource.properties.get("state") == "Running",
        keys=keys if is_function_app else (),
        master_key=manager.master_key(resource.id) if is_function_app else "",
        package=Path(package) if package else None,
    )


def _identities(resource: Resource) -> dict[str, str]:
    identity = resource.body.get("identity") or {}
    found = {
        str(each["clientId"]): str(each["principalId"])
        for each in (identity.get("userAssignedIdentities") or {}).values()
    }
    if identity.get("principalId"):
        found[SYSTEM] = str(identity["principalId"])
    return found
