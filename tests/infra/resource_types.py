"""The resource types of the templates: API versions, properties, and values that Azure accepts.

Source: the types that Bicep's compiler checks against (github.com/Azure/bicep-types-az,
`generated/`, August 2026), as far as the templates use them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TYPES: dict[str, str] = {
    "Microsoft.Resources/resourceGroups@2024-11-01": """
        location! tags.*
    """,
    "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30": """
        location! tags.*
    """,
    "Microsoft.OperationalInsights/workspaces@2025-02-01": """
        location! tags.*
        properties.sku.name!=PerGB2018|CapacityReservation
        properties.retentionInDays
        properties.features.disableLocalAuth
        properties.workspaceCapping.dailyQuotaGb
    """,
    "Microsoft.Insights/components@2020-02-02": """
        location! tags.* kind!
        properties.Application_Type!=web|other
        properties.WorkspaceResourceId
        properties.DisableLocalAuth
    """,
    "Microsoft.Insights/actionGroups@2023-01-01": """
        location! tags.*
        properties.groupShortName! properties.enabled!
        properties.emailReceivers[].name! properties.emailReceivers[].emailAddress!
        properties.emailReceivers[].useCommonAlertSchema
    """,
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": """
        location! tags.* kind=LogAlert|LogToMetric
        properties!
        properties.displayName properties.description properties.enabled
        properties.severity=0|1|2|3|4
        properties.scopes[]
        properties.windowSize properties.evaluationFrequency
        properties.autoMitigate properties.muteActionsDuration properties.skipQueryValidation
        properties.criteria.allOf[].query
        properties.criteria.allOf[].timeAggregation=Count|Average|Minimum|Maximum|Total
        properties.criteria.allOf[].operator=Equals|GreaterThan|GreaterThanOrEqual|LessThan
        properties.criteria.allOf[].threshold
        properties.criteria.allOf[].failingPeriods.numberOfEvaluationPeriods
        properties.criteria.allOf[].failingPeriods.minFailingPeriodsToAlert
        properties.actions.actionGroups[]
    """,
    "Microsoft.Insights/workbooks@2023-06-01": """
        location! tags.* kind=shared
        properties.displayName! properties.serializedData! properties.category!
        properties.sourceId
    """,
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": """
        properties!
        properties.workspaceId
        properties.logAnalyticsDestinationType
        properties.logs[].category properties.logs[].enabled!
    """,
    "Microsoft.Authorization/roleAssignments@2022-04-01": """
        properties!
        properties.roleDefinitionId! properties.principalId!
        properties.principalType=User|Group|ServicePrincipal|ForeignGroup|Device
        properties.description
    """,
    "Microsoft.Storage/storageAccounts@2025-08-01": """
        location! tags.* kind!=Storage|StorageV2|BlobStorage|FileStorage|BlockBlobStorage
        sku!
        sku.name!=Standard_LRS|Standard_GRS|Standard_RAGRS|Standard_ZRS|Standard_GZRS
        properties.allowSharedKeyAccess
        properties.allowBlobPublicAccess
        properties.allowCrossTenantReplication
        properties.defaultToOAuthAuthentication
        properties.minimumTlsVersion=TLS1_0|TLS1_1|TLS1_2|TLS1_3
        properties.supportsHttpsTrafficOnly
    """,
    "Microsoft.Storage/storageAccounts/blobServices@2025-08-01": """
        properties.containerDeleteRetentionPolicy.enabled
        properties.containerDeleteRetentionPolicy.days
    """,
    "Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01": """
        properties.publicAccess=Container|Blob|None
    """,
    "Microsoft.KeyVault/vaults@2026-02-01": """
        location! tags.*
        properties!
        properties.tenantId!
        properties.sku!
        properties.sku.family!=A properties.sku.name!=standard|premium
        properties.createMode=default|recover
        properties.enableRbacAuthorization
        properties.enableSoftDelete
        properties.softDeleteRetentionInDays
        properties.enablePurgeProtection
    """,
    "Microsoft.Web/serverfarms@2024-11-01": """
        location! tags.* kind
        sku.tier sku.name
        properties.reserved
    """,
    "Microsoft.Web/sites@2024-11-01": """
        location! tags.* kind
        identity.type!=SystemAssigned|UserAssigned|None
        identity.userAssignedIdentities.*
        properties.serverFarmId
        properties.httpsOnly
        properties.publicNetworkAccess
        properties.keyVaultReferenceIdentity
        properties.siteConfig.minTlsVersion=1.0|1.1|1.2|1.3
        properties.siteConfig.scmMinTlsVersion=1.0|1.1|1.2|1.3
        properties.siteConfig.ftpsState=AllAllowed|FtpsOnly|Disabled
        properties.siteConfig.http20Enabled
        properties.functionAppConfig.deployment.storage.type=blobContainer
        properties.functionAppConfig.deployment.storage.value
        properties.functionAppConfig.deployment.storage.authentication.type=SystemAssignedIdentity|UserAssignedIdentity
        properties.functionAppConfig.deployment.storage.authentication.userAssignedIdentityResourceId
        properties.functionAppConfig.runtime.name=dotnet-isolated|node|java|powershell|python|custom
        properties.functionAppConfig.runtime.version
        properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB=512|2048|4096
        properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount
        properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency
        properties.functionAppConfig.scaleAndConcurrency.alwaysReady[].name
        properties.functionAppConfig.scaleAndConcurrency.alwaysReady[].instanceCount
    """,
    "Microsoft.Web/sites/config@2024-11-01": """
        properties.*
    """,
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01": """
        properties.allow!
    """,
    "Microsoft.BotService/botServices@2022-09-15": """
        location tags.* kind=sdk|designer|bot|function|azurebot
        sku.name!=F0|S1
        properties.displayName! properties.endpoint! properties.msaAppId!
        properties.msaAppType=UserAssignedMSI|SingleTenant|MultiTenant
        properties.msaAppTenantId properties.msaAppMSIResourceId
    """,
    "Microsoft.BotService/botServices/channels@2022-09-15": """
        location
        properties.channelName!=MsTeamsChannel|WebChatChannel|DirectLineChannel
        properties.properties.isEnabled
        properties.properties.acceptedTerms
        properties.properties.sites[].siteName!
        properties.properties.sites[].isEnabled!
        properties.properties.sites[].isV1Enabled
        properties.properties.sites[].isV3Enabled
        properties.properties.sites[].isWebchatPreviewEnabled
    """,
}
"""By type and version: each property's path, with `[]` for the items of a list, `.*` for names that
are free, `!` if it must be there once the object around it is, and `=` before its values."""

NAMES: dict[str, str] = {
    "Microsoft.Resources/resourceGroups": r"[-\w.()]{0,89}[-\w()]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][-\w]{2,127}",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[-\w.()]{0,259}[-\w()]",
    "Microsoft.Insights/actionGroups": r"[^/&%?]{1,260}",
    "Microsoft.Insights/scheduledQueryRules": r"[^#<>%&:\\?/{}*]{1,260}",
    "Microsoft.Insights/workbooks": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Microsoft.Insights/diagnosticSettings": r"[^*<>%:&\\?/+]{1,260}",
    "Microsoft.Authorization/roleAssignments": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices": r"default",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "Microsoft.KeyVault/vaults": r"(?=.{3,24}$)[A-Za-z](-?[A-Za-z0-9])+",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"(?=.{2,60}$)[A-Za-z0-9](-*[A-Za-z0-9])+",
    "Microsoft.Web/sites/config": r"appsettings",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": r"scm|ftp",
    "Microsoft.BotService/botServices": r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}",
    "Microsoft.BotService/botServices/channels": r"MsTeamsChannel|WebChatChannel|DirectLineChannel",
}
"""Names that Azure accepts, by type (Azure docs, "Naming rules and restrictions")."""


@dataclass(frozen=True)
class Property:
    """The row of one property in the table."""

    is_required: bool
    values: frozenset[str]


def properties_of(type_and_version: str) -> Mapping[str, Property]:
    """The properties of a type by path.

    Raises:
        KeyError: the table does not have the type in that version.
    """
    found = {}
    for entry in TYPES[type_and_version].split():
        path, _, values = entry.partition("=")
        allowed = frozenset(values.split("|")) if values else frozenset()
        found[path.rstrip("!")] = Property(path.endswith("!"), allowed)
    return found


def problems(type_and_version: str, body: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a body, by the table."""
    known = properties_of(type_and_version)
    paths = list(_paths(body, "", known))
    for path, value in paths:
        if path not in known:
            yield f"{path} is unknown"
        elif known[path].values and str(value) not in known[path].values:
            yield f"{path} is {value!r}"
    objects = {"", *(path.rpartition(".")[0] for path, _ in paths)}
    for path, each in known.items():
        parent = path.rpartition(".")[0]
        if each.is_required and parent in objects and not _is_there(path, paths):
            yield f"{path} is missing"


def _is_there(path: str, paths: list[tuple[str, Any]]) -> bool:
    return any(each == path or each.startswith(f"{path}.") for each, _ in paths)


def _paths(value: Any, path: str, known: Mapping[str, Property]) -> Iterator[tuple[str, Any]]:
    """Each value that is no object or list, by its path."""
    if isinstance(value, dict):
        free = f"{path}.*"
        if free in known:
            yield from ((free, each) for each in value.values())
            return
        for name, each in value.items():
            yield from _paths(each, f"{path}.{name}" if path else name, known)
    elif isinstance(value, list):
        for each in value:
            yield from _paths(each, f"{path}[]", known)
    else:
        yield path, value


def is_name(kind: str, name: str) -> bool:
    """Whether a resource of a type may have a name."""
    return re.fullmatch(NAMES[kind], name) is not None
