"""Sites: web apps and Function Apps, their deployment slots, and the plans that they run on."""

import datetime

from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.identities import assigned
from bot_workbench.emulator.resource_manager.resource import (
    LOCATIONS,
    JsonObject,
    Resource,
    ResourceId,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    Tenant,
    Write,
    existing,
    listed,
)

TIERS = {"FC1": "FlexConsumption", "Y1": "Dynamic", "EP1": "ElasticPremium", "B1": "Basic"}
PYTHON_VERSIONS = ("3.13", "3.12", "3.11", "3.10")

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


def find_site(store: ResourceStore, site_id: str) -> Resource:
    """A site or slot by its id in any case.

    Raises:
        KeyError: there is none.
    """
    site = store.find(site_id)
    if site is None:
        raise KeyError(site_id)
    return site


def set_settings(tenant: Tenant, site: Resource, settings: JsonObject) -> None:
    """Replace all settings of a site, which restarts it.

    Raises:
        ArmError: 400, a setting is no text, or is not allowed on the site's plan.
    """
    site.hidden[SETTINGS] = _allowed(site.properties.get("sku"), settings)
    tenant.changed(site)


def accept_site(write: Write) -> JsonObject:
    """Fill in the host names, the plan's sku, and the ids of the identities."""
    request, sent, known = write.request, write.sent, write.known
    if write.existing is None and not request.id.is_child:
        for each in request.store.of_type(SITES):
            if each.name.lower() == request.id.name.lower():
                raise error("Conflict", name=request.id.name)
    writable = {name: sent[name] for name in WRITABLE if sent.get(name) is not None}
    plan = str(writable.get("serverFarmId") or known.get("serverFarmId") or "")
    properties = {
        **writable,
        "name": request.id.name,
        "state": known.get("state", "Running"),
        "enabled": writable.get("enabled") is not False,
        "adminEnabled": True,
        "availabilityState": "Normal",
        "usageState": "Normal",
        "resourceGroup": request.id.group_name,
        "repositorySiteName": request.id.name,
        "reserved": "linux" in str(write.body.get("kind") or "").lower(),
        "lastModifiedTimeUtc": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S}",
        "serverFarmId": plan or None,
        "sku": _sku(request.store, plan, known),
        "siteConfig": {"appSettings": None},
        **_host_names(request.id),
    }
    made = {"kind": write.body.get("kind") or "app", "location": write.body.get("location")}
    identity = assigned(write)
    if identity:
        made["identity"] = identity
    _accept_configuration(write, properties["sku"])
    return {**made, "tags": write.body.get("tags") or {}, "properties": properties}


def _accept_configuration(write: Write, sku: str) -> None:
    """Keep the settings and the configuration of a request's `siteConfig`; without settings, those
    that the site has stay."""
    sent = write.request.properties.get("siteConfig") or {}
    settings = sent.get("appSettings")
    if settings is not None:
        if not all(each.get("name") for each in settings):
            raise error("BadRequest: setting name")
        texts = {
            each["name"]: "" if each.get("value") is None else each["value"] for each in settings
        }
        write.hidden[SETTINGS] = _allowed(sku, texts)
    write.hidden.setdefault(CONFIG, {}).update(given(sent))


def given(sent: JsonObject) -> JsonObject:
    """What a client sends of a site's configuration: without nulls and settings."""
    return {
        name: value for name, value in sent.items() if name != "appSettings" and value is not None
    }


def _allowed(sku: object, settings: JsonObject) -> dict[str, str]:
    """Settings as texts.

    Raises:
        ArmError: 400, a value is no text, or a setting is not allowed on the site's plan.
    """
    for name, value in settings.items():
        if not isinstance(value, str | int | float | bool):
            raise error("BadRequest: setting value", name=name)
    refused = sorted(NOT_ON_FLEX & settings.keys()) if sku == FLEX else []
    if refused:
        names = ", ".join(f"Site.SiteConfig.AppSettings.{each}" for each in refused)
        raise error("BadRequest: setting on Flex", names=names)
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in settings.items()
    }


def _sku(store: ResourceStore, plan: str, known: JsonObject) -> str:
    if not plan:
        return str(known.get("sku") or "Dynamic")
    found = store.find(plan)
    if found is None:
        raise error("NotFound: plan", name=ResourceId(plan).name)
    return str((found.body.get("sku") or {}).get("tier") or "Dynamic")


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


def shown_site(site: Resource) -> JsonObject:
    """A site; the name of a slot, and of a function, has that of its site."""
    return {**site.answer(), "name": ResourceId(site.id).full_name}


def restart(request: ArmRequest) -> ArmReply:
    """Restart, start or stop a site."""
    site, action = existing(request, request.id.parent), request.id.name.lower()
    if action != "restart":
        site.properties["state"] = "Stopped" if action == "stop" else "Running"
    request.tenant.changed(site)
    return ArmReply()


def sync_triggers(request: ArmRequest) -> ArmReply:
    """Read the triggers again."""
    existing(request, request.id.parent)
    return ArmReply(status=204)


def accept_plan(write: Write) -> JsonObject:
    """A plan's tier follows from its sku."""
    sku = write.body.get("sku") or {"name": "Y1"}
    sku.setdefault("tier", TIERS.get(str(sku.get("name")), "Basic"))
    properties = {**write.sent, "status": "Ready", "numberOfSites": 0}
    return {**write.body, "properties": properties, "sku": sku}


def regions(request: ArmRequest) -> ArmReply:
    """`geoRegions`: where sites can be created."""
    scope = request.id.text
    return listed(
        [
            {
                "id": f"{scope}/{display_name}",
                "name": display_name,
                "type": "Microsoft.Web/geoRegions",
                "properties": {
                    "name": display_name,
                    "displayName": display_name,
                    "description": None,
                    "orgDomain": "PUBLIC;DSERIES;FUNCTIONS;FLEXCONSUMPTION",
                },
            }
            for display_name in LOCATIONS.values()
        ]
    )


def stacks(_: ArmRequest) -> ArmReply:
    """`locations/LOCATION/functionAppStacks`: Python on Flex Consumption, the newest first."""
    versions = [_minor_version(version) for version in PYTHON_VERSIONS]
    return listed(
        [
            {
                "id": None,
                "name": "python",
                "type": "Microsoft.Web/locations/functionAppStacks",
                "properties": {
                    "displayText": "Python",
                    "value": "python",
                    "preferredOs": "linux",
                    "majorVersions": [
                        {"displayText": "Python 3", "value": "3", "minorVersions": versions}
                    ],
                },
            }
        ]
    )


def _minor_version(version: str) -> JsonObject:
    runtime = {"name": "python", "version": version}
    return {
        "displayText": f"Python {version}",
        "value": version,
        "stackSettings": {
            "linuxRuntimeSettings": {
                "runtimeVersion": f"Python|{version}",
                "isDefault": version == PYTHON_VERSIONS[0],
                "isHidden": False,
                "appInsightsSettings": {"isSupported": True},
                "appSettingsDictionary": {"FUNCTIONS_WORKER_RUNTIME": "python"},
                "siteConfigPropertiesDictionary": {"linuxFxVersion": f"Python|{version}"},
                "gitHubActionSettings": {"isSupported": True, "supportedVersion": version},
                "endOfLifeDate": None,
                "Sku": [
                    {
                        "skuCode": "FC1",
                        "instanceMemoryMB": [
                            {"size": 512, "isDefault": False},
                            {"size": 2048, "isDefault": True},
                            {"size": 4096, "isDefault": False},
                        ],
                        "maximumInstanceCount": {
                            "lowestMaximumInstanceCount": 1,
                            "highestMaximumInstanceCount": 1000,
                            "defaultValue": 100,
                        },
                        "functionAppConfigProperties": {"runtime": runtime},
                    }
                ],
            }
        },
    }
