"""BotApp: a Function App with its plan, as docs/deploy-by-hand.md makes it."""

from typing import Any

from tests.emulator.resource_manager.arm_thread import ArmThread

NAME = "contoso-functions"
PATH = f"providers/Microsoft.Web/sites/{NAME}"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


def plan_id(azure: ArmThread, sku: str = "FC1") -> str:
    """Create a plan, and return its id."""
    made = azure.resource_id("Microsoft.Web/serverFarms", f"plan-{sku.lower()}")
    azure.arm.put(made, {"location": "westeurope", "sku": {"name": sku}})
    return made


def identity_id(azure: ArmThread, name: str = "bot") -> str:
    """Create a managed identity, and return its id."""
    return azure.arm.put(azure.resource_id(IDENTITIES, name), {"location": "westeurope"}).id


def site_body(azure: ArmThread, sku: str = "FC1", **properties: Any) -> dict[str, Any]:
    """A Function App as a client sends it."""
    return {
        "location": "westeurope",
        "kind": "functionapp,linux",
        "tags": {"for": "a bot"},
        "properties": {"serverFarmId": plan_id(azure, sku), "httpsOnly": True, **properties},
    }


def add_site(azure: ArmThread, sku: str = "FC1") -> str:
    """Create the Function App, and return its id."""
    site_id = azure.resource_id("Microsoft.Web/sites", NAME)
    azure.arm.put(site_id, site_body(azure, sku))
    return site_id
