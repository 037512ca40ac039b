"""The resource types of the local Azure, by provider, with the api-versions that each answers.

A type whose resources are stored as they are sent needs only a row here; a type with rules of its
own also has a class, which the catalog lists.
"""

from typing import NamedTuple

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmRequest


class ProviderType(NamedTuple):
    """One resource type.

    Attributes:
        versions: stable ones first, the newest of them at the start: `az resource` takes that one.
        has_location: a PUT must say where the resource is.
    """

    versions: tuple[str, ...]
    has_location: bool = True


OWN = ("2022-09-01",)
"""For Resource Manager's own types, which answer every version."""

AUTHORIZATION = ("2022-04-01", "2022-05-01-preview", "2018-01-01-preview")
BOT_SERVICE = ("2022-09-15", "2021-03-01", "2021-05-01-preview")
COGNITIVE_SERVICES = ("2025-06-01", "2024-10-01", "2026-05-15-preview")
COMPONENTS = ("2020-02-02", "2015-05-01", "2020-02-02-preview")
KEY_VAULT = ("2026-05-15", "2026-02-01", "2024-11-01", "2023-07-01", "2022-07-01")
IDENTITY = (
    "2024-11-30",
    "2023-01-31",
    "2018-11-30",
    "2025-05-31-preview",
    "2025-01-31-preview",
)
NETWORK = ("2024-05-01", "2022-01-01")
WORKSPACES = ("2025-02-01", "2023-09-01", "2022-10-01", "2021-12-01-preview")
STORAGE = ("2025-08-01", "2025-01-01", "2024-01-01", "2023-05-01")
WEB = (
    *("2025-05-01", "2024-11-01", "2024-04-01", "2023-12-01", "2022-09-01", "2020-10-01"),
    "2015-08-01",
)
"""Those that az, func, the SDKs and this project send, and a few others. Azure has more."""

PROVIDER_TYPES: dict[str, dict[str, ProviderType]] = {
    "Microsoft.AlertsManagement": {"smartDetectorAlertRules": ProviderType(("2021-04-01",))},
    "Microsoft.Authorization": {
        "roleAssignments": ProviderType(AUTHORIZATION),
        "roleDefinitions": ProviderType(AUTHORIZATION),
    },
    "Microsoft.BotService": {
        "botServices": ProviderType(BOT_SERVICE),
        "botServices/channels": ProviderType(BOT_SERVICE),
        "botServices/connections": ProviderType(BOT_SERVICE),
        "checkNameAvailability": ProviderType(BOT_SERVICE),
        "listAuthServiceProviders": ProviderType(BOT_SERVICE),
    },
    "Microsoft.CognitiveServices": {"accounts": ProviderType(COGNITIVE_SERVICES)},
    "Microsoft.Insights": {
        "actionGroups": ProviderType(("2023-01-01",)),
        "components": ProviderType(COMPONENTS),
        "diagnosticSettings": ProviderType(("2021-05-01-preview",), has_location=False),
        "metricAlerts": ProviderType(("2018-03-01",)),
        "scheduledQueryRules": ProviderType(("2023-12-01", "2022-06-15")),
        "workbooks": ProviderType(("2023-06-01", "2022-04-01")),
    },
    "Microsoft.KeyVault": {
        "checkNameAvailability": ProviderType(KEY_VAULT),
        "deletedManagedHSMs": ProviderType(KEY_VAULT),
        "deletedVaults": ProviderType(KEY_VAULT),
        "locations": ProviderType(KEY_VAULT),
        "vaults": ProviderType(KEY_VAULT),
        "vaults/accessPolicies": ProviderType(KEY_VAULT),
    },
    "Microsoft.ManagedIdentity": {
        "identities": ProviderType(IDENTITY, has_location=False),
        "userAssignedIdentities": ProviderType(IDENTITY),
        "userAssignedIdentities/federatedIdentityCredentials": ProviderType(IDENTITY),
    },
    "Microsoft.Network": {"locations": ProviderType(NETWORK)},
    "Microsoft.OperationalInsights": {"workspaces": ProviderType(WORKSPACES)},
    "Microsoft.Resources": {
        "deployments": ProviderType(OWN, has_location=False),
        "resourceGroups": ProviderType(OWN),
        "subscriptions": ProviderType(OWN),
        "tags": ProviderType(OWN),
        "tenants": ProviderType(OWN),
    },
    "Microsoft.ResourceGraph": {"resources": ProviderType(("2024-04-01", "2019-04-01"))},
    "Microsoft.Storage": {
        "checkNameAvailability": ProviderType(STORAGE),
        "storageAccounts": ProviderType(STORAGE),
        "storageAccounts/blobServices": ProviderType(STORAGE),
        "storageAccounts/blobServices/containers": ProviderType(STORAGE),
        "storageAccounts/fileServices": ProviderType(STORAGE),
        "storageAccounts/fileServices/shares": ProviderType(STORAGE),
        "storageAccounts/queueServices": ProviderType(STORAGE),
        "storageAccounts/queueServices/queues": ProviderType(STORAGE),
        "storageAccounts/tableServices": ProviderType(STORAGE),
        "storageAccounts/tableServices/tables": ProviderType(STORAGE),
    },
    "Microsoft.Web": {
        "certificates": ProviderType(WEB),
        "functionAppStacks": ProviderType(WEB),
        "geoRegions": ProviderType(WEB),
        "locations": ProviderType(WEB),
        "serverFarms": ProviderType(WEB),
        "sites": ProviderType(WEB),
        "sites/basicPublishingCredentialsPolicies": ProviderType(WEB),
        "sites/config": ProviderType(WEB),
        "sites/functions": ProviderType(WEB),
        "sites/host": ProviderType(WEB),
        "sites/slots": ProviderType(WEB),
        "sites/slots/basicPublishingCredentialsPolicies": ProviderType(WEB),
        "sites/slots/config": ProviderType(WEB),
        "sites/slots/functions": ProviderType(WEB),
        "sites/slots/host": ProviderType(WEB),
    },
}
"""By namespace, and by the type's name below it."""

_KNOWN = {
    f"{namespace}/{name}".lower(): found
    for namespace, types in PROVIDER_TYPES.items()
    for name, found in types.items()
}


def versions_of(type_name: str) -> tuple[str, ...]:
    """The versions of a type in any case, or of the type above an action; empty: unknown."""
    name = type_name.lower()
    while name and name not in _KNOWN:
        name = name.rpartition("/")[0]
    return _KNOWN[name].versions if name else ()


def newest_version(type_name: str) -> str:
    """The newest stable version of a type in any case; one of Resource Manager's own for others."""
    return (versions_of(type_name) or OWN)[0]


def check_version(request: ArmRequest) -> None:
    """Pass a request with a version that its type answers.

    Raises:
        ArmError: 400 `NoRegisteredProviderFound`.
    """
    type_name, version = request.id.type, request.query.get("api-version", "")
    known = versions_of(type_name)
    if known and known is not OWN and version not in known:
        location = str(request.body.get("location") or "global")
        raise bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{location}' and API version "
            f"'{version}' for type '{type_name.partition('/')[2]}'. The supported api-versions are "
            f"'{', '.join(sorted(known))}'. The supported locations are ', global'.",
        )


def unknown_type(type_name: str, version: str) -> ArmError:
    """ARM's 404 for a type that it does not have, or whose provider it does not have."""
    namespace = type_name.partition("/")[0]
    if namespace.lower() not in (each.lower() for each in PROVIDER_TYPES):
        message = f"The resource namespace '{namespace}' is invalid."
        return ArmError(404, "InvalidResourceNamespace", message)
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type could not be found in the namespace '{namespace}' for api version "
        f"'{version}'.",
    )
