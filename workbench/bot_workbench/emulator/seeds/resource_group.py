"""ResourceGroup: makes the resources of one group, as somebody has made them before."""

from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource

LOCATION = "westeurope"


class ResourceGroup:
    """A resource group of the first subscription.

    Args:
        manager: has the resources.
        name: the group's.
    """

    def __init__(self, manager: ResourceManager, name: str) -> None:
        self.manager = manager
        self.name = name
        self.id = f"/subscriptions/{manager.subscription_id}/resourceGroups/{name}"
        manager.put(self.id, {"location": LOCATION})

    def resource_id(self, type_name: str, name: str) -> str:
        """The id of a resource in the group.

        Args:
            type_name: such as `Microsoft.Web/sites`.
            name: the resource's.
        """
        return f"{self.id}/providers/{type_name}/{name}"

    def put(self, type_name: str, name: str, body: JsonObject) -> Resource:
        """Create a resource in the group's location, unless the body names another."""
        resource_id = self.resource_id(type_name, name)
        return self.manager.put(resource_id, {"location": LOCATION, **body})

    def set_app_settings(self, site: Resource, settings: dict[str, str]) -> None:
        """Set all app settings of a site."""
        self.manager.set_app_settings(site, settings)

    def identity(self, name: str) -> JsonObject:
        """Create a user-assigned identity.

        Returns:
            `id` (the resource's), `principalId` and `clientId` (GUIDs).
        """
        made = self.put("Microsoft.ManagedIdentity/userAssignedIdentities", name, {})
        return {"id": made.id, **made.properties}
