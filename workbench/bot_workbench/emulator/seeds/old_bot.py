"""OldBot: a bot with a client secret, as a migration finds it."""

from dataclasses import dataclass

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import MULTI_TENANT, Registration
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.seeds.resource_group import ResourceGroup
from bot_workbench.emulator.sites.site import DOMAIN

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

    @classmethod
    def create(
        cls,
        group: ResourceGroup,
        directory: Directory,
        name: str,
        app_type: str,
        site_name: str,
        connection: str,
    ) -> "OldBot":
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
        site = _web_app(group, site_name, settings)
        return cls(bot, site, registration)


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
