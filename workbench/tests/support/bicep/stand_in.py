"""What Resource Manager answers when this project's resources are created, without a server."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.bicep.deployment import Deployment, Resource
from tests.support.bicep.functions import SUFFIXES, Scope

_NAMESPACE = uuid.UUID("5c0a6f8e-2b7d-4a53-8f6a-0d1d9c3b7e42")


def guid(text: str) -> str:
    """A GUID that is always the same for a text."""
    return str(uuid.uuid5(_NAMESPACE, text))


SUBSCRIPTION_ID, TENANT_ID = guid("subscription"), guid("tenant")
APP_ID = guid("app")
SITE_DOMAINS = {
    "Public": "azurewebsites.net",
    "USGovernment": "azurewebsites.us",
    "China": "chinacloudsites.cn",
}


class Evaluated:
    """A template, evaluated: the resources that it would create, and its outputs.

    Attributes:
        resources: in the order in which they would be created.
        outputs: by name.
        clients, principals: client and object ids (GUID) of the identities, by resource id.
    """

    def __init__(self, main: Path, **parameters: Any) -> None:
        self.clients: dict[str, str] = {}
        self.principals: dict[str, str] = {}
        self.resources: list[Resource] = []
        given = {"environmentName": "contoso-bot", "location": "westeurope", "botAppId": APP_ID}
        self._cloud = str(parameters.get("cloud", "Public"))
        scope = Scope(SUBSCRIPTION_ID, TENANT_ID, cloud=self._cloud)
        self.outputs = Deployment(main, {**given, **parameters}, scope, self._send).run()

    def of_type(self, kind: str) -> list[Resource]:
        """The created resources of a type, such as `Microsoft.Web/sites`."""
        return [each for each in self.resources if each.type == kind]

    def _send(self, resource: Resource) -> Mapping[str, Any]:
        if not resource.is_existing:
            self.resources.append(resource)
        added = _read_only(resource, self._cloud)
        if "principalId" in added:
            self.clients[resource.id] = added["clientId"]
            self.principals[resource.id] = added["principalId"]
        properties = {**resource.body.get("properties", {}), **added}
        return {**resource.body, "properties": properties}


def _read_only(resource: Resource, cloud: str) -> dict[str, Any]:
    """The properties that Azure adds."""
    name = resource.name
    added: dict[str, dict[str, Any]] = {
        "Microsoft.ManagedIdentity/userAssignedIdentities": {
            "clientId": guid(f"client {name}"),
            "principalId": guid(f"principal {name}"),
        },
        "Microsoft.Storage/storageAccounts": {
            "primaryEndpoints": {
                service: f"https://{name}.{service}.{SUFFIXES[cloud]['storage']}/"
                for service in ("blob", "queue", "table")
            }
        },
        "Microsoft.Insights/components": {
            "ConnectionString": f"InstrumentationKey={guid(name)};ApplicationId={guid(name)}"
        },
        "Microsoft.Web/sites": {"defaultHostName": f"{name}.{SITE_DOMAINS[cloud]}"},
    }
    return added.get(resource.type, {})
