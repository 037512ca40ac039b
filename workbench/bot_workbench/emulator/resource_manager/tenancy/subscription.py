"""Subscription, and what a tenant's subscriptions, providers and endpoints look like."""

import uuid
from dataclasses import dataclass, field

from bot_workbench.emulator.resource_manager.core.resource import JsonObject
from bot_workbench.emulator.resource_manager.tenancy.provider_types import PROVIDER_TYPES

LOCATIONS = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "eastus": "East US",
    "eastus2": "East US 2",
    "swedencentral": "Sweden Central",
    "germanywestcentral": "Germany West Central",
}
"""Display names of regions."""


@dataclass
class Subscription:
    """One subscription of the tenant.

    Attributes:
        id: GUID.
        name: as the portal shows it.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str = "Contoso"

    def answer(self, tenant_id: str) -> JsonObject:
        """The JSON of `GET /subscriptions/{id}`."""
        return {
            "id": f"/subscriptions/{self.id}",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": self.id,
            "tenantId": tenant_id,
            "displayName": self.name,
            "state": "Enabled",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        }

    def locations(self) -> list[JsonObject]:
        """The JSON of its regions."""
        return [
            {
                "id": f"/subscriptions/{self.id}/locations/{name}",
                "name": name,
                "type": "Region",
                "displayName": display_name,
                "regionalDisplayName": display_name,
                "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
            }
            for name, display_name in LOCATIONS.items()
        ]


def tenant_answer(tenant_id: str) -> JsonObject:
    """The JSON of a tenant."""
    return {
        "id": f"/tenants/{tenant_id}",
        "tenantId": tenant_id,
        "countryCode": "US",
        "displayName": "Contoso",
        "domains": ["contoso.onmicrosoft.com"],
        "tenantCategory": "Home",
        "defaultDomain": "contoso.onmicrosoft.com",
        "tenantType": "AAD",
    }


def provider_answer(namespace: str, subscription_id: str, *, is_registered: bool) -> JsonObject:
    """The JSON of a resource provider in a subscription."""
    return {
        "id": f"/subscriptions/{subscription_id}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered" if is_registered else "NotRegistered",
        "resourceTypes": [
            {
                "resourceType": name,
                "locations": ["global", *LOCATIONS.values()],
                "apiVersions": list(found.versions),
                "capabilities": "SupportsTags, SupportsLocation",
            }
            for name, found in PROVIDER_TYPES[namespace].items()
        ],
    }


def cloud_endpoints(authority: str, resource_manager: str) -> JsonObject:
    """The JSON of `GET /metadata/endpoints?api-version=2022-09-01`, for one cloud.

    Args:
        authority: base URL of Entra.
        resource_manager: base URL of this server.
    """
    return {
        "name": "AzureCloud",
        "portal": "https://portal.azure.com",
        "authentication": {
            "loginEndpoint": authority,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": "https://rest.media.azure.net",
        "graphAudience": "https://graph.windows.net/",
        "graph": "https://graph.windows.net/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "batch": "https://batch.core.windows.net/",
        "resourceManager": resource_manager,
        "suffixes": {
            "acrLoginServer": "azurecr.io",
            "keyVaultDns": "vault.azure.net",
            "storage": "core.windows.net",
            "sqlServerHostname": "database.windows.net",
        },
    }
