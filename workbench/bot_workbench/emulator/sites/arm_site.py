"""The site that a resource of Resource Manager describes."""

from pathlib import Path

from bot_workbench.emulator.entra.identity_endpoint import SYSTEM
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.core.resource import Resource
from bot_workbench.emulator.sites.site import DOMAIN, Site

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
