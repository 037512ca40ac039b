"""The table of the resource types of the local Azure, and what providers answer beside resources.

A type whose resources are stored as they are sent is a row with its versions. What a row says
otherwise is a function: here, if it is short, or in the module of the provider.
"""

import datetime
import uuid

from bot_workbench.emulator.resource_manager import (
    bot_service,
    identities,
    role_assignments,
    site_config,
    sites,
    storage_accounts,
    subscriptions,
    vaults,
)
from bot_workbench.emulator.resource_manager.access import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS
from bot_workbench.emulator.resource_manager.resource import GROUP_TYPE, JsonObject
from bot_workbench.emulator.resource_manager.resource_type import (
    OWN,
    Answer,
    ArmReply,
    ArmRequest,
    ResourceType,
    Write,
    check_parent,
    listed,
)

DEPLOYMENTS = "Microsoft.Resources/deployments"
WORKSPACES = "Microsoft.OperationalInsights/workspaces"

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
LOG_ANALYTICS = ("2025-02-01", "2023-09-01", "2022-10-01", "2021-12-01-preview")
STORAGE = ("2025-08-01", "2025-01-01", "2024-01-01", "2023-05-01")
WEB = (
    *("2025-05-01", "2024-11-01", "2024-04-01", "2023-12-01", "2022-09-01", "2020-10-01"),
    "2015-08-01",
)
"""Those that az, func, the SDKs and this project send, and a few others. Azure has more."""

PARAMETER_TYPES: dict[type, str] = {
    bool: "Bool",
    int: "Int",
    str: "String",
    list: "Array",
    dict: "Object",
}


def accept_deployment(write: Write) -> JsonObject:
    """The record of a deployment; it deploys nothing: whoever plays azd or `az` creates the rest.

    Microsoft reference: "Deployments - List At Subscription Scope", of which it has the parameters,
    each with its type and value, the state, the time and the tags. No template is returned.
    """
    sent = write.request.properties
    parameters = {
        name: {"type": PARAMETER_TYPES.get(type(each["value"]), "Object"), "value": each["value"]}
        for name, each in (sent.get("parameters") or {}).items()
    }
    properties = {
        "mode": sent.get("mode", "Incremental"),
        "parameters": parameters,
        "timestamp": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    return {**write.body, "properties": properties}


def list_deployments(request: ArmRequest) -> ArmReply:
    """Those of this scope alone: a subscription's list has none of its groups'."""
    check_parent(request, request.id)
    found = request.store.of_type(DEPLOYMENTS, request.id.scope)
    return listed([each.answer() for each in found if each.id.lower().startswith(request.id.key)])


def accept_component(write: Write) -> JsonObject:
    """Application Insights: the keys are made once."""
    sent, region = write.sent, str(write.body["location"])
    key = write.known.get("InstrumentationKey") or str(uuid.uuid4())
    properties = {
        "DisableLocalAuth": False,
        **sent,
        "AppId": write.known.get("AppId") or str(uuid.uuid4()),
        "Application_Type": sent.get("Application_Type") or "web",
        "ApplicationId": write.request.id.name,
        "InstrumentationKey": key,
        "ConnectionString": (
            f"InstrumentationKey={key};IngestionEndpoint=https://{region}-1.in."
            f"applicationinsights.azure.com/;LiveEndpoint=https://{region}.livediagnostics."
            "monitor.azure.com/"
        ),
    }
    return {**write.body, "properties": properties}


def accept_workspace(write: Write) -> JsonObject:
    """Log Analytics: the customer id is made once."""
    customer_id = write.known.get("customerId") or str(uuid.uuid4())
    properties = {"sku": {"name": "PerGB2018"}, **write.sent, "customerId": customer_id}
    return {**write.body, "properties": properties}


TAGS_ANYWHERE = (
    "AppService",
    "AzureActiveDirectory",
    "AzureBotService",
    "AzureCloud",
    "AzureKeyVault",
)
"""Those that bots and their apps may need; Azure has some two hundred."""

TAGS_OF_REGIONS = ("AppService", "AzureCloud", "AzureKeyVault")
"""Tags that are also there for one region: `AzureCloud.westeurope`."""

TAG_PREFIXES = ["192.0.2.0/24", "2001:db8::/32"]
"""Addresses for documentation (RFC 5737, RFC 3849) in place of Azure's own."""


def service_tags(request: ArmRequest) -> ArmReply:
    """`locations/LOCATION/serviceTags`, in one answer (REST reference, "Service Tags - List")."""
    location = request.id.parent.name
    names = [*TAGS_ANYWHERE, *(f"{name}.{location}" for name in TAGS_OF_REGIONS)]
    values = [
        {
            "id": name,
            "name": name,
            "properties": {
                "addressPrefixes": TAG_PREFIXES,
                "changeNumber": "1",
                "region": name.partition(".")[2],
                "systemService": name.partition(".")[0],
            },
        }
        for name in names
    ]
    return ArmReply(
        {
            "id": f"{request.id.text}/public",
            "name": "public",
            "type": "Microsoft.Network/serviceTags",
            "changeNumber": "1",
            "cloud": "Public",
            "values": values,
        }
    )


RESOURCE_TYPES: tuple[ResourceType, ...] = (
    ResourceType("Microsoft.AlertsManagement/smartDetectorAlertRules", ("2021-04-01",)),
    ResourceType(
        ROLE_ASSIGNMENTS,
        AUTHORIZATION,
        has_location=False,
        changed_status=201,
        state="",
        accept=role_assignments.accept_assignment,
        changed=role_assignments.assignment_changed,
        answers={
            "GET": role_assignments.get_assignment,
            "DELETE": role_assignments.delete_assignment,
            "LIST": role_assignments.list_assignments,
        },
    ),
    ResourceType(
        ROLE_DEFINITIONS,
        AUTHORIZATION,
        has_location=False,
        state="",
        accept=role_assignments.accept_role,
        shown=role_assignments.shown_role,
        answers={
            "GET": role_assignments.get_role,
            "DELETE": role_assignments.delete_role,
            "LIST": role_assignments.list_roles,
        },
    ),
    ResourceType(
        bot_service.BOT_SERVICES,
        BOT_SERVICE,
        has_etag=True,
        accept=bot_service.accept_bot,
        shown=bot_service.shown_bot,
        changed=bot_service.bot_changed,
    ),
    ResourceType(
        bot_service.CHANNELS,
        BOT_SERVICE,
        has_etag=True,
        check_name=bot_service.check_channel_name,
        shown=bot_service.shown_channel,
        answers={
            "PUT": bot_service.put_channel,
            "PATCH": bot_service.patch_channel,
            "DELETE": bot_service.delete_channel,
            "POST listchannelwithkeys": bot_service.list_channel_with_keys,
            "POST regeneratekeys": bot_service.regenerate_keys,
        },
    ),
    ResourceType(
        f"{bot_service.BOT_SERVICES}/connections",
        BOT_SERVICE,
        accept=bot_service.accept_connection,
        shown=bot_service.shown_connection,
        answers={"POST listwithsecrets": bot_service.list_with_secrets},
    ),
    ResourceType("Microsoft.BotService/checkNameAvailability", BOT_SERVICE),
    ResourceType("Microsoft.BotService/listAuthServiceProviders", BOT_SERVICE),
    ResourceType("Microsoft.CognitiveServices/accounts", COGNITIVE_SERVICES),
    ResourceType("Microsoft.Insights/actionGroups", ("2023-01-01",)),
    ResourceType(
        "Microsoft.Insights/components", COMPONENTS, created_status=200, accept=accept_component
    ),
    ResourceType(
        "Microsoft.Insights/diagnosticSettings", ("2021-05-01-preview",), has_location=False
    ),
    ResourceType("Microsoft.Insights/metricAlerts", ("2018-03-01",)),
    ResourceType("Microsoft.Insights/scheduledQueryRules", ("2023-12-01", "2022-06-15")),
    ResourceType("Microsoft.Insights/workbooks", ("2023-06-01", "2022-04-01")),
    ResourceType("Microsoft.KeyVault/checkNameAvailability", KEY_VAULT),
    ResourceType("Microsoft.KeyVault/deletedManagedHSMs", KEY_VAULT),
    ResourceType("Microsoft.KeyVault/deletedVaults", KEY_VAULT),
    ResourceType("Microsoft.KeyVault/locations", KEY_VAULT),
    ResourceType(
        vaults.VAULTS,
        KEY_VAULT,
        created_status=200,
        accept=vaults.accept_vault,
        changed=vaults.vault_changed,
        answers={"PUT": vaults.put_vault},
    ),
    ResourceType(
        f"{vaults.VAULTS}/accessPolicies",
        KEY_VAULT,
        answers={"PUT": vaults.put_access_policies},
    ),
    ResourceType(
        identities.SYSTEM_ASSIGNED_IDENTITIES,
        IDENTITY,
        has_location=False,
        answers={"GET": identities.get_system_identity},
    ),
    ResourceType(
        identities.USER_ASSIGNED_IDENTITIES,
        IDENTITY,
        state="",
        canonical_id=identities.identity_id,
        accept=identities.accept_identity,
        changed=identities.identity_changed,
    ),
    ResourceType(
        identities.FEDERATED_CREDENTIALS,
        IDENTITY,
        state="",
        canonical_id=identities.credential_id,
        accept=identities.accept_credential,
    ),
    ResourceType("Microsoft.Network/locations", NETWORK),
    ResourceType(WORKSPACES, LOG_ANALYTICS, accept=accept_workspace),
    ResourceType(
        DEPLOYMENTS,
        OWN,
        has_location=False,
        accept=accept_deployment,
        answers={"LIST": list_deployments},
    ),
    ResourceType(GROUP_TYPE, OWN),
    ResourceType("Microsoft.Resources/subscriptions", OWN),
    ResourceType(
        "Microsoft.Resources/tags",
        OWN,
        answers={
            "GET": subscriptions.get_tags,
            "PUT": subscriptions.change_tags,
            "PATCH": subscriptions.change_tags,
            "DELETE": subscriptions.delete_tags,
        },
    ),
    ResourceType("Microsoft.Resources/tenants", OWN),
    ResourceType("Microsoft.ResourceGraph/resources", ("2024-04-01", "2019-04-01")),
    ResourceType("Microsoft.Storage/checkNameAvailability", STORAGE),
    ResourceType(
        storage_accounts.STORAGE_ACCOUNTS,
        STORAGE,
        created_status=200,
        accept=storage_accounts.accept_account,
        changed=storage_accounts.account_changed,
        answers={"POST listkeys": storage_accounts.list_keys},
    ),
    *(
        ResourceType(f"{storage_accounts.STORAGE_ACCOUNTS}/{name}", STORAGE)
        for name in (
            "blobServices",
            "blobServices/containers",
            "fileServices",
            "fileServices/shares",
            "queueServices",
            "queueServices/queues",
            "tableServices",
            "tableServices/tables",
        )
    ),
    ResourceType("Microsoft.Web/certificates", WEB),
    ResourceType("Microsoft.Web/functionAppStacks", WEB),
    ResourceType("Microsoft.Web/geoRegions", WEB),
    ResourceType("Microsoft.Web/locations", WEB),
    ResourceType("Microsoft.Web/serverFarms", WEB, created_status=200, accept=sites.accept_plan),
    *(
        row
        for owner in (sites.SITES, sites.SLOTS)
        for row in (
            ResourceType(
                owner,
                WEB,
                created_status=200,
                state="",
                accept=sites.accept_site,
                shown=sites.shown_site,
                changed=identities.system_identity_changed,
                answers={
                    "POST restart": sites.restart,
                    "POST start": sites.restart,
                    "POST stop": sites.restart,
                    "POST sync": sites.sync_triggers,
                    "POST syncfunctiontriggers": sites.sync_triggers,
                    "POST listsyncfunctiontriggerstatus": sites.sync_triggers,
                    "POST publishxml": site_config.get_publishing_profile,
                },
            ),
            ResourceType(
                f"{owner}/basicPublishingCredentialsPolicies",
                WEB,
                state="",
                answers={
                    "GET": site_config.get_policy,
                    "PUT": site_config.put_policy,
                    "LIST": site_config.list_policies,
                },
            ),
            ResourceType(
                f"{owner}/config",
                WEB,
                state="",
                answers={
                    "GET": site_config.get_config,
                    "PUT": site_config.put_config,
                    "PATCH": site_config.put_config,
                    "LIST": site_config.list_config,
                    "POST": site_config.act_on_config,
                },
            ),
            ResourceType(
                f"{owner}/functions",
                WEB,
                state="",
                shown=sites.shown_site,
                answers={"POST listkeys": site_config.list_function_keys},
            ),
            ResourceType(
                f"{owner}/host",
                WEB,
                state="",
                shown=sites.shown_site,
                answers={"POST listkeys": site_config.list_host_keys},
            ),
        )
    ),
)

PROVIDER_ANSWERS: dict[tuple[str, str], Answer] = {
    ("GET", "microsoft.botservice/checknameavailability"): bot_service.check_bot_name,
    ("POST", "microsoft.botservice/checknameavailability"): bot_service.check_bot_name,
    ("POST", "microsoft.botservice/listauthserviceproviders"): bot_service.service_providers,
    ("POST", "microsoft.keyvault/checknameavailability"): vaults.check_vault_name,
    ("GET", "microsoft.keyvault/deletedvaults"): vaults.list_deleted,
    ("GET", "microsoft.keyvault/locations/deletedvaults"): vaults.get_deleted,
    ("POST", "microsoft.keyvault/locations/deletedvaults/purge"): vaults.purge,
    ("GET", "microsoft.network/locations/servicetags"): service_tags,
    ("POST", "microsoft.storage/checknameavailability"): storage_accounts.check_account_name,
    ("GET", "microsoft.web/functionappstacks"): sites.stacks,
    ("GET", "microsoft.web/georegions"): sites.regions,
    ("GET", "microsoft.web/locations/functionappstacks"): sites.stacks,
}
"""What providers answer beside their resources, by method and type in lower case."""
