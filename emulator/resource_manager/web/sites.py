"""Sites: web apps and Function Apps, and their deployment slots."""

import uuid

from emulator.resource_manager.core.arm_error import bad_request
from emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from emulator.resource_manager.core.resource import JsonObject, Resource, ResourceStore
from emulator.resource_manager.core.resource_id import ResourceId
from emulator.resource_manager.core.resource_type import Changed, ResourceType, not_found
from emulator.resource_manager.resources.identities import USER_ASSIGNED_IDENTITIES

SITES = "Microsoft.Web/sites"
SETTINGS = "appSettings"
"""Where a site's settings are, of what no GET returns."""

RESTARTING_ACTIONS = ("restart", "start", "stop")


class Sites(ResourceType):
    """Creates and changes sites."""

    def __init__(self, name: str, store: ResourceStore, tenant_id: str, changed: Changed) -> None:
        super().__init__(name, store)
        self._tenant_id = tenant_id
        self._changed = changed

    def settings(self, site_id: str) -> dict[str, str]:
        """The application settings of a site (id in any case), as a copy.

        Raises:
            KeyError: there is no such site.
        """
        site = self.store.find(site_id)
        if site is None:
            raise KeyError(site_id)
        return dict(site.hidden.get(SETTINGS, {}))

    def set_settings(self, site: Resource, settings: dict[str, str]) -> None:
        """Replace all settings, which restarts the site."""
        site.hidden[SETTINGS] = dict(settings)
        self.changed(site)

    def changed(self, resource: Resource) -> None:
        """Let the runtime know."""
        self._changed(resource)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """Fill in the host name, and the ids of the identities."""
        properties = body.setdefault("properties", {})
        host = f"{request.id.full_name.replace('/', '-')}.azurewebsites.net".lower()
        properties.setdefault("state", "Running")
        properties["defaultHostName"] = host
        properties["enabledHostNames"] = [host, host.replace(".", ".scm.", 1)]
        properties["hostNames"] = [host]
        properties.setdefault("enabled", True)
        if body.get("identity"):
            body["identity"] = self._identity(body["identity"], existing)
        return body

    def _identity(self, sent: JsonObject, existing: Resource | None) -> JsonObject:
        old = (existing.body.get("identity") or {}) if existing else {}
        kind = str(sent.get("type") or "None")
        made: JsonObject = {"type": kind}
        if "SystemAssigned" in kind:
            made["principalId"] = old.get("principalId") or str(uuid.uuid4())
            made["tenantId"] = self._tenant_id
        if "UserAssigned" in kind:
            made["userAssignedIdentities"] = {
                identity_id: self._assigned(identity_id)
                for identity_id, value in (sent.get("userAssignedIdentities") or {}).items()
                if value is not None
            }
        return made

    def _assigned(self, identity_id: str) -> JsonObject:
        found = self.store.find(identity_id)
        if found is None:
            raise not_found(ResourceId(identity_id), USER_ASSIGNED_IDENTITIES)
        properties = found.properties
        return {name: properties[name] for name in ("principalId", "clientId")}

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """Restart, start, stop; read the triggers again."""
        site = self.existing(request.id.parent)
        if action in RESTARTING_ACTIONS:
            site.properties["state"] = "Stopped" if action == "stop" else "Running"
            self.changed(site)
            return ArmReply(status=200)
        if action == "syncfunctiontriggers":
            return ArmReply(status=204)
        return super().act(request, action)


class SiteSettings(ResourceType):
    """The configuration of sites: `config/appsettings`, `config/web` and others."""

    tracked = False
    state = ""

    def __init__(self, name: str, store: ResourceStore, sites: Sites) -> None:
        super().__init__(name, store)
        self._sites = sites

    def put(self, request: ArmRequest) -> ArmReply:
        """Replace a configuration; app settings are replaced as a whole."""
        if request.id.name.lower() != "appsettings":
            return super().put(request)
        self.check_parent(request.id)
        settings = request.properties
        wrong = [name for name, value in settings.items() if not isinstance(value, str)]
        if wrong:
            raise bad_request("BadRequest", f"The settings {wrong} must be texts.")
        site = self._sites.existing(request.id.parent)
        self._sites.set_settings(site, settings)
        return self._settings(request.id, site)

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """`list` returns what a GET does not: the settings with their values."""
        config = request.id.parent
        if action == "list" and config.name.lower() == "appsettings":
            return self._settings(config, self._sites.existing(config.parent))
        return super().act(request, action)

    def _settings(self, config: ResourceId, site: Resource) -> ArmReply:
        return ArmReply(
            {
                "id": config.text,
                "name": "appsettings",
                "type": self.name,
                "location": site.body.get("location"),
                "tags": site.body.get("tags"),
                "properties": self._sites.settings(site.id),
            }
        )
