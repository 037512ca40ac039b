"""SiteConfig: the configuration of sites below `config/`: settings, `web`, and others."""

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType
from bot_workbench.emulator.resource_manager.web.publishing import publishing_credentials
from bot_workbench.emulator.resource_manager.web.sites import Sites, texts

APP_SETTINGS = "appsettings"
WEB = "web"
CREDENTIALS = "publishingcredentials"
READ = (WEB, "authsettingsv2", "logs", "slotconfignames")
"""Configurations that a GET returns, in lower case (azure-mgmt-web has these calls)."""

LISTED = (
    APP_SETTINGS,
    CREDENTIALS,
    "authsettings",
    "azurestorageaccounts",
    "backup",
    "connectionstrings",
    "metadata",
    "pushsettings",
)
"""Configurations that a POST to `list` returns, because they hold secrets."""

WEB_DEFAULTS: JsonObject = {
    "alwaysOn": False,
    "ftpsState": "FtpsOnly",
    "http20Enabled": True,
    "linuxFxVersion": "",
    "minTlsVersion": "1.2",
    "numberOfWorkers": 1,
    "publicNetworkAccess": "Enabled",
    "scmType": "None",
}


class SiteConfig(ResourceType):
    """Reads and replaces a site's configuration.

    App settings are replaced as a whole, and never part of what a GET returns: they hold secrets.
    """

    tracked = False
    state = ""

    def __init__(self, name: str, store: ResourceStore, sites: Sites) -> None:
        super().__init__(name, store)
        self._sites = sites

    def put(self, request: ArmRequest) -> ArmReply:
        """Replace a configuration: always 200."""
        name, site = self._named(request.id)
        if name == CREDENTIALS:
            raise _no_method(request)
        if name == APP_SETTINGS:
            self._sites.set_settings(site, texts(request.properties))
        elif name == WEB:
            self._sites.configuration(site.id).update(_given(request.properties))
            self._sites.changed(site)
        else:
            site.hidden[name] = dict(request.properties)
        return self._reply(request.id, site)

    def patch(self, request: ArmRequest) -> ArmReply:
        """Change the `web` configuration; the others have no PATCH."""
        name, _ = self._named(request.id)
        if name != WEB:
            raise _no_method(request)
        return self.put(request)

    def get(self, request: ArmRequest) -> ArmReply:
        """A configuration without secrets.

        Raises:
            ArmError: 405, it is returned by a POST to `list` only.
        """
        name, site = self._named(request.id)
        if name not in READ:
            raise _no_method(request)
        return self._reply(request.id, site)

    def list_all(self, request: ArmRequest) -> ArmReply:
        """The site's `web` configuration, as a list of one."""
        site = self._sites.existing(request.id.parent)
        config = ResourceId(f"{request.id.text}/{WEB}")
        return listed([self._reply(config, site).body])

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """`list` returns what a GET does not: settings and strings with their values."""
        config = request.id.parent
        name, site = self._named(config)
        if action != "list" or name not in LISTED:
            raise ArmError(404, "NotFound", f"There is no action '{action}' for '{config.name}'.")
        return self._reply(config, site)

    def _named(self, config: ResourceId) -> tuple[str, Resource]:
        """The configuration's name in lower case, and its site.

        Raises:
            ArmError: 404, there is no such site or configuration.
        """
        site, name = self._sites.existing(config.parent), config.name.lower()
        if name not in READ and name not in LISTED:
            raise ArmError(404, "NotFound", f"There is no configuration '{config.name}'.")
        return name, site

    def _reply(self, config: ResourceId, site: Resource) -> ArmReply:
        return ArmReply(
            {
                "id": config.text,
                "name": config.name,
                "type": self.name,
                "location": site.body.get("location"),
                "properties": self._properties(config.name.lower(), site),
            }
        )

    def _properties(self, name: str, site: Resource) -> JsonObject:
        if name == APP_SETTINGS:
            return dict(self._sites.settings(site.id))
        if name == WEB:
            return {**WEB_DEFAULTS, **self._sites.configuration(site.id), "appSettings": None}
        if name == "slotconfignames":
            return {"appSettingNames": None, "connectionStringNames": None} | _own(site, name)
        if name == CREDENTIALS:
            return publishing_credentials(site)
        return _own(site, name)


class PublishingPolicies(ResourceType):
    """Whether publishing with user name and password is allowed, by `ftp` and by `scm`."""

    tracked = False
    state = ""

    def put(self, request: ArmRequest) -> ArmReply:
        """Allow or forbid it: 200."""
        policy = self._policy(request.id)
        policy.properties["allow"] = request.properties.get("allow") is not False
        return ArmReply(self.answer(self.store.add(policy)))

    def get(self, request: ArmRequest) -> ArmReply:
        """It is allowed until somebody forbids it."""
        return ArmReply(self.answer(self._policy(request.id)))

    def list_all(self, request: ArmRequest) -> ArmReply:
        """Both."""
        names = ("ftp", "scm")
        policies = [self._policy(ResourceId(f"{request.id.text}/{name}")) for name in names]
        return listed([self.answer(each) for each in policies])

    def _policy(self, policy: ResourceId) -> Resource:
        """A policy of a site; publishing is allowed until somebody writes the policy."""
        self.check_parent(policy, reading=True)
        if policy.name.lower() not in ("ftp", "scm"):
            raise ArmError(404, "NotFound", f"There is no policy '{policy.name}'.")
        found = self.store.find(policy.text)
        return found or Resource(policy.text, self.name, {"properties": {"allow": True}})


def _no_method(request: ArmRequest) -> ArmError:
    return ArmError(
        405,
        "MethodNotAllowed",
        f"The configuration '{request.id.name}' has no {request.method}.",
    )


def _own(site: Resource, name: str) -> JsonObject:
    stored: JsonObject = site.hidden.get(name, {})
    return dict(stored)


def _given(properties: JsonObject) -> JsonObject:
    return {
        name: value
        for name, value in properties.items()
        if value is not None and name != "appSettings"
    }
