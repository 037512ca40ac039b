"""Sites: web apps and Function Apps, and their deployment slots."""

import datetime
from typing import Any

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request, conflict
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import Changed, ResourceType
from bot_workbench.emulator.resource_manager.web.publishing import publishing_profile
from bot_workbench.emulator.resource_manager.web.site_identity import SiteIdentities

SITES = "Microsoft.Web/sites"
SLOTS = f"{SITES}/slots"
DOMAIN = "azurewebsites.net"
SETTINGS = "appSettings"
CONFIG = "siteConfig"
"""Where a site's settings and its configuration are, of what no GET of the site returns."""

FLEX = "FlexConsumption"
NOT_ON_FLEX = frozenset(
    {
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_WORKER_PROCESS_COUNT",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "ENABLE_ORYX_BUILD",
        "WEBSITE_RUN_FROM_PACKAGE",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
        "WEBSITE_CONTENTSHARE",
    }
)
"""Settings that Flex Consumption refuses (Azure Functions docs, "Flex Consumption plan
deprecations")."""

WRITABLE = (
    "clientAffinityEnabled",
    "clientAffinityPartitioningEnabled",
    "clientAffinityProxyEnabled",
    "clientCertEnabled",
    "clientCertExclusionPaths",
    "clientCertMode",
    "containerSize",
    "customDomainVerificationId",
    "dailyMemoryTimeQuota",
    "daprConfig",
    "dnsConfiguration",
    "enabled",
    "endToEndEncryptionEnabled",
    "functionAppConfig",
    "hostNamesDisabled",
    "hostingEnvironmentProfile",
    "httpsOnly",
    "hyperV",
    "ipMode",
    "isXenon",
    "keyVaultReferenceIdentity",
    "managedEnvironmentId",
    "outboundVnetRouting",
    "publicNetworkAccess",
    "redundancyMode",
    "resourceConfig",
    "scmSiteAlsoStopped",
    "serverFarmId",
    "sshEnabled",
    "storageAccountRequired",
    "virtualNetworkSubnetId",
    "vnetContentShareEnabled",
    "vnetImagePullEnabled",
    "vnetRouteAllEnabled",
    "workloadProfileName",
)
"""Properties that a client may set and a GET returns; others are ignored (REST reference)."""


class Sites(ResourceType):
    """Creates and changes sites, or slots of sites.

    Args:
        name: the type, SITES or SLOTS.
        store: of all resources.
        identities: makes a site's identity.
        changed: called after each write, a site's settings included, and after a delete.
    """

    created_status = 200
    state = ""

    def __init__(
        self, name: str, store: ResourceStore, identities: SiteIdentities, changed: Changed
    ) -> None:
        super().__init__(name, store)
        self._identities = identities
        self._changed = changed

    def settings(self, site_id: str) -> dict[str, str]:
        """The application settings of a site (id in any case), as a copy.

        Raises:
            KeyError: there is no such site.
        """
        return dict(self._stored(site_id).hidden.get(SETTINGS, {}))

    def set_settings(self, site: Resource, settings: dict[str, str]) -> None:
        """Replace all settings, which restarts the site.

        Raises:
            ArmError: 400, a setting is not allowed on the site's plan.
        """
        self._check_settings(site.properties.get("sku"), settings)
        site.hidden[SETTINGS] = dict(settings)
        self.changed(site)

    def configuration(self, site_id: str) -> JsonObject:
        """The site's configuration (`config/web`), which may be changed.

        Raises:
            KeyError: there is no such site.
        """
        configuration: JsonObject = self._stored(site_id).hidden.setdefault(CONFIG, {})
        return configuration

    def _stored(self, site_id: str) -> Resource:
        site = self.store.find(site_id)
        if site is None:
            raise KeyError(site_id)
        return site

    def changed(self, resource: Resource) -> None:
        """Let the runtime know."""
        self._changed(resource)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """Fill in the host names, the plan's sku, and the ids of the identities."""
        if existing is None and not self.is_child:
            self._check_name(request.id.name)
        known = {} if existing is None else existing.properties
        sent = body.get("properties") or {}
        properties = {name: sent[name] for name in WRITABLE if sent.get(name) is not None}
        plan = str(properties.get("serverFarmId") or known.get("serverFarmId") or "")
        properties |= {
            "name": request.id.name,
            "state": known.get("state", "Running"),
            "enabled": properties.get("enabled") is not False,
            "adminEnabled": True,
            "availabilityState": "Normal",
            "usageState": "Normal",
            "resourceGroup": request.id.group_name,
            "repositorySiteName": request.id.name,
            "reserved": "linux" in str(body.get("kind") or "").lower(),
            "lastModifiedTimeUtc": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S}",
            "serverFarmId": plan or None,
            "sku": self._sku(plan, known),
            "siteConfig": {"appSettings": None},
            **_host_names(request.id),
        }
        made = {"kind": body.get("kind") or "app", "location": body.get("location")}
        old = None if existing is None else existing.body.get("identity")
        identity = self._identities.assigned(request, old)
        if identity:
            made["identity"] = identity
        self._check_settings(properties["sku"], _sent_settings(request) or {})
        return {**made, "tags": body.get("tags") or {}, "properties": properties}

    def hidden(self, request: ArmRequest, existing: Resource | None) -> JsonObject:
        """The old settings and configuration, changed by what the request's `siteConfig` says."""
        hidden, settings = dict(super().hidden(request, existing)), _sent_settings(request)
        if settings is not None:
            hidden[SETTINGS] = settings
        sent = request.properties.get("siteConfig") or {}
        configuration = hidden.setdefault(CONFIG, {})
        configuration |= {
            name: value
            for name, value in sent.items()
            if name != "appSettings" and value is not None
        }
        return hidden

    def _check_name(self, name: str) -> None:
        if any(each.name.lower() == name.lower() for each in self.store.of_type(SITES)):
            raise conflict("Conflict", f"Website with given name {name} already exists.")

    def _sku(self, plan: str, known: JsonObject) -> str:
        if not plan:
            return str(known.get("sku") or "Dynamic")
        found = self.store.find(plan)
        if found is None:
            raise ArmError(
                404, "NotFound", f"Cannot find serverfarm with name {ResourceId(plan).name}."
            )
        return str((found.body.get("sku") or {}).get("tier") or "Dynamic")

    @staticmethod
    def _check_settings(sku: Any, settings: dict[str, str]) -> None:
        refused = sorted(NOT_ON_FLEX & settings.keys()) if sku == FLEX else []
        if refused:
            named = ", ".join(f"Site.SiteConfig.AppSettings.{each}" for each in refused)
            raise bad_request(
                "BadRequest",
                f"The following app setting ({named}) for Flex Consumption sites is invalid. "
                "Please remove or rename it before retrying.",
            )

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """Restart, start, stop; read the triggers again."""
        site = self.existing(request.id.parent)
        if action in ("restart", "start", "stop"):
            if action != "restart":
                site.properties["state"] = "Stopped" if action == "stop" else "Running"
            self.changed(site)
            return ArmReply()
        if action in ("syncfunctiontriggers", "listsyncfunctiontriggerstatus", "sync"):
            return ArmReply(status=204)
        if action == "publishxml":
            return ArmReply(xml=publishing_profile(site))
        return super().act(request, action)

    def answer(self, resource: Resource) -> JsonObject:
        """The site; a slot's name has that of its site."""
        answer = resource.answer()
        if self.is_child:
            answer["name"] = ResourceId(resource.id).full_name
        return answer


def _host_names(site: ResourceId) -> JsonObject:
    """Host names of a site `NAME`, or of a slot, which is `NAME-SLOT`."""
    name = site.full_name.replace("/", "-").lower()
    host, deployment = f"{name}.{DOMAIN}", f"{name}.scm.{DOMAIN}"
    states = [
        {"name": each, "sslState": "Disabled", "hostType": kind}
        for each, kind in ((host, "Standard"), (deployment, "Repository"))
    ]
    return {
        "defaultHostName": host,
        "hostNames": [host],
        "enabledHostNames": [host, deployment],
        "hostNameSslStates": states,
    }


def _sent_settings(request: ArmRequest) -> dict[str, str] | None:
    """The settings in a body's `siteConfig`; None leaves them as they are."""
    sent = (request.properties.get("siteConfig") or {}).get("appSettings")
    if sent is None:
        return None
    if not all(each.get("name") for each in sent):
        # The service's own words for this are not known.
        raise bad_request("BadRequest", "Each of the app settings needs a name.")
    return texts(
        {each["name"]: "" if each.get("value") is None else each["value"] for each in sent}
    )


def texts(settings: JsonObject) -> dict[str, str]:
    """Settings, whose values are texts.

    Raises:
        ArmError: 400, a value is something else.
    """
    for name, value in settings.items():
        if not isinstance(value, str | int | float | bool):
            raise bad_request("BadRequest", f"The value of the setting '{name}' must be a text.")
    return {name: _text(value) for name, value in settings.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
