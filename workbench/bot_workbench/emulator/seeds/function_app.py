"""PreparedFunctionApp: a Function App as docs/deploy-by-hand.md makes one (steps 2, 3, 5, 6)."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.app_folder import BOT, NOT_DEPLOYED, link_app
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.resource_manager.site_config import Functions
from bot_workbench.emulator.seeds.resource_group import ResourceGroup
from bot_workbench.project import APP

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

    @classmethod
    def create(
        cls, group: ResourceGroup, name: str, vault_name: str, *, officer: str = ""
    ) -> "PreparedFunctionApp":
        """Create the identity, its storage account, the plan, the site, and a vault.

        Args:
            group: where the resources are.
            name: the Function App's and the identity's.
            vault_name: the key vault's; empty: none.
            officer: object id (GUID) of who may create the vault's certificates; empty: nobody.
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
        vault = _vault(group, vault_name) if vault_name else None
        if vault is not None and officer:
            assign_role(group, vault, CERTIFICATES_OFFICER, officer)
        return cls(site, identity, vault)


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
