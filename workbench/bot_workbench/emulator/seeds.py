"""What a migration finds in the local Azure: a pipeline, a group, an old bot, its new app."""

import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.app_folder import BOT, NOT_DEPLOYED, link_app
from bot_workbench.emulator.entra.credentials import EXCHANGE_AUDIENCE, TrustedSubject
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import MULTI_TENANT, Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.resource_manager.site_config import Functions
from bot_workbench.emulator.sites.site import DOMAIN
from bot_workbench.project import APP

ISSUER = "https://token.actions.githubusercontent.com"
"""The OpenID Connect issuer of GitHub's pipelines."""

SUBJECT = "repo:contoso/bot:environment:production"
LIFETIME_SECONDS = 24 * 3600


class Pipeline:
    """A pipeline whose tokens an app registration trusts (GitHub Docs, "OpenID Connect").

    Args:
        registration: the pipeline's; it gets the federated credential.
    """

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self.issuer = TokenIssuer()
        credential = TrustedSubject(ISSUER, SUBJECT, name="pipeline")
        registration.federated_credentials.append(credential)

    @property
    def object_id(self) -> str:
        """GUID of its service principal."""
        return self.registration.service_principal_id

    def trust(self, directory: Directory) -> None:
        """Let the tenant's Entra know the issuer's keys."""
        directory.issuers[ISSUER] = self.issuer

    def write_token(self, file: Path) -> None:
        """Write a token to a file, for AZURE_FEDERATED_TOKEN_FILE."""
        claims = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": EXCHANGE_AUDIENCE,
            "repository": "contoso/bot",
            "exp": int(time.time()) + LIFETIME_SECONDS,
        }
        file.touch(mode=0o600)
        file.write_text(self.issuer.sign(claims), "utf-8")


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


ROLES_ON_STORAGE = (
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",  # Storage Blob Data Owner
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88",  # Storage Queue Data Contributor
)


def _http(name: str, method: str, level: str = "ANONYMOUS") -> list[JsonObject]:
    trigger = {"type": "httpTrigger", "direction": "IN", "name": "req", "route": name}
    answer = {"type": "http", "direction": "OUT", "name": "$return"}
    return [{**trigger, "authLevel": level, "methods": [method]}, answer]


FUNCTIONS: Functions = {
    "messages": _http("messages", "POST"),
    "health": _http("health", "GET"),
    "identity": _http("identity", "GET", "FUNCTION"),
    "notifications": [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": "bot-notifications",
            "connection": "AzureWebJobsStorage",
        }
    ],
}
"""Those of the app with a storage account, and without queued turns, with their bindings."""

CERTIFICATES_OFFICER = "a4417e6f-fecd-4de8-b567-7b0420556985"


def deploy_app(folder: Path) -> None:
    """Fill a new folder with this project's app, as it is deployed."""
    folder.mkdir()
    link_app(folder, APP / BOT)
    for name in NOT_DEPLOYED:
        (folder / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class PreparedFunctionApp:
    """A Function App with this project's code, and without a bot's settings.

    Attributes:
        site: the Function App.
        identity: `id`, `principalId` and `clientId` of the identity assigned to it.
        vault: the key vault beside it, if there is one.
    """

    site: Resource
    identity: JsonObject
    vault: Resource | None


def prepare_function_app(
    group: ResourceGroup, name: str, vault_name: str, officer: str
) -> PreparedFunctionApp:
    """Create the identity, its storage account, the plan, the site, and a vault.

    Args:
        group: where the resources are.
        name: the Function App's and the identity's.
        vault_name: the key vault's; empty: none.
        officer: object id (GUID) of who may create the vault's certificates.
    """
    identity = group.identity(name)
    storage = _storage_account(group, name)
    for role in ROLES_ON_STORAGE:
        assign_role(group, storage, role, identity["principalId"])
    site = _site(group, name, identity["id"])
    settings = {
        "AzureWebJobsStorage__accountName": storage.name,
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": identity["clientId"],
    }
    group.set_app_settings(site, settings)
    group.manager.deploy_functions(site.id, FUNCTIONS)
    if not vault_name:
        return PreparedFunctionApp(site, identity, None)
    vault = _vault(group, vault_name)
    assign_role(group, vault, CERTIFICATES_OFFICER, officer)
    return PreparedFunctionApp(site, identity, vault)


def assign_role(group: ResourceGroup, scope: Resource, role: str, principal_id: str) -> None:
    """Assign a role (its GUID) to a service principal (object id, GUID) at a resource."""
    definitions = f"/subscriptions/{group.manager.subscription_id}/providers"
    properties = {
        "roleDefinitionId": f"{definitions}/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": principal_id,
        "principalType": "ServicePrincipal",
    }
    name = f"{scope.id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    group.manager.put(name, {"properties": properties})


def _storage_account(group: ResourceGroup, name: str) -> Resource:
    body: JsonObject = {
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False},
    }
    account = "".join(filter(str.isalnum, name.lower()))[:24]
    return group.put("Microsoft.Storage/storageAccounts", account, body)


def _site(group: ResourceGroup, name: str, identity_id: str) -> Resource:
    plan = group.put(
        "Microsoft.Web/serverfarms",
        f"{name}-plan",
        {"kind": "functionapp", "sku": {"name": "FC1", "tier": "FlexConsumption"}},
    )
    body: JsonObject = {
        "kind": "functionapp,linux",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id: {}}},
        "properties": {
            "serverFarmId": plan.id,
            "httpsOnly": True,
            "sku": "FlexConsumption",
            "functionAppConfig": {
                "runtime": {"name": "python", "version": "3.13"},
                "scaleAndConcurrency": {"instanceMemoryMB": 2048, "maximumInstanceCount": 40},
            },
        },
    }
    return group.put("Microsoft.Web/sites", name, body)


def _vault(group: ResourceGroup, name: str) -> Resource:
    properties: JsonObject = {
        "tenantId": group.manager.tenant_id,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enablePurgeProtection": True,
        "accessPolicies": [],
    }
    return group.put("Microsoft.KeyVault/vaults", name, {"properties": properties})


BOT_SERVICES = "Microsoft.BotService/botServices"
TEAMS = "MsTeamsChannel"
"""Name of the Teams channel; new bots have only Web Chat and Direct Line."""

AUDIENCES = {MULTI_TENANT: "AzureADMultipleOrgs"}


@dataclass(frozen=True)
class OldBot:
    """A bot with a client secret, whose value is in its web app's settings only.

    Attributes:
        bot: the Azure Bot.
        site: the web app that runs it.
        registration: its app registration.
    """

    bot: Resource
    site: Resource
    registration: Registration


def create_old_bot(
    group: ResourceGroup,
    directory: Directory,
    name: str,
    app_type: str,
    site_name: str,
    connection: str,
) -> OldBot:
    """Create the app registration, the Azure Bot and the web app.

    Args:
        group: where the resources are.
        directory: the tenant's.
        name: the Azure Bot's.
        app_type: SingleTenant or MultiTenant.
        site_name: the web app's.
        connection: the name of an OAuth connection; empty: none.
    """
    audience = AUDIENCES.get(app_type, "AzureADMyOrg")
    registration = directory.add_application(name, audience=audience)
    secret = directory.add_secret(registration, name="bot secret")
    bot = _azure_bot(group, registration, name, f"https://{site_name}.{DOMAIN}/api/messages")
    _add_teams(group, bot)
    if connection:
        # Users sign in to an app of their own, as the bot samples recommend.
        users = directory.add_application(f"{name} user sign-in")
        _add_connection(group, bot, connection, users.app_id)
    settings = {
        "MicrosoftAppId": registration.app_id,
        "MicrosoftAppPassword": secret,
        "MicrosoftAppType": app_type,
        "MicrosoftAppTenantId": "" if app_type == MULTI_TENANT else registration.tenant_id,
    }
    return OldBot(bot, _web_app(group, site_name, settings), registration)


def _azure_bot(
    group: ResourceGroup, registration: Registration, name: str, endpoint: str
) -> Resource:
    properties: JsonObject = {
        "displayName": name,
        "endpoint": endpoint,
        "msaAppId": registration.app_id,
        "msaAppType": registration.app_type,
        "developerAppInsightKey": "",
        "isCmekEnabled": False,
        "publicNetworkAccess": "Enabled",
        "disableLocalAuth": False,
        "schemaTransformationVersion": "1.3",
    }
    if registration.app_type != MULTI_TENANT:
        properties["msaAppTenantId"] = registration.tenant_id
    body: JsonObject = {
        "location": "global",
        "kind": "azurebot",
        "sku": {"name": "F0"},
        "tags": {},
        "properties": properties,
    }
    tenant = group.manager.tenant
    # A multi-tenant one was created before new ones were refused.
    tenant.accepts_multi_tenant = registration.app_type == MULTI_TENANT
    try:
        return group.put(BOT_SERVICES, name, body)
    finally:
        tenant.accepts_multi_tenant = False


def _add_teams(group: ResourceGroup, bot: Resource) -> None:
    properties: JsonObject = {
        "isEnabled": True,
        "acceptedTerms": True,
        "deploymentEnvironment": "CommercialDeployment",
    }
    body = {"location": "global", "properties": {"channelName": TEAMS, "properties": properties}}
    group.manager.put(f"{bot.id}/channels/{TEAMS}", body)


def _add_connection(group: ResourceGroup, bot: Resource, name: str, client_id: str) -> None:
    properties = {
        "name": name,
        "serviceProviderId": "30dd229c-58e3-4a48-bdfd-91ec48eb906c",  # Entra ID, version 2
        "serviceProviderDisplayName": "Azure Active Directory v2",
        "clientId": client_id,
        "scopes": "User.Read",
        "parameters": [{"key": "tenantId", "value": group.manager.tenant_id}],
    }
    body: JsonObject = {"location": "global", "properties": properties}
    group.manager.put(f"{bot.id}/connections/{name}", body)


def _web_app(group: ResourceGroup, name: str, settings: dict[str, str]) -> Resource:
    plan = group.put(
        "Microsoft.Web/serverfarms",
        f"{name}-plan",
        {"kind": "linux", "sku": {"name": "B1", "tier": "Basic"}, "properties": {"reserved": True}},
    )
    body: JsonObject = {
        "kind": "app,linux",
        "properties": {
            "serverFarmId": plan.id,
            "httpsOnly": True,
            "siteConfig": {"linuxFxVersion": "PYTHON|3.13"},
        },
    }
    site = group.put("Microsoft.Web/sites", name, body)
    group.set_app_settings(site, settings)
    return site
