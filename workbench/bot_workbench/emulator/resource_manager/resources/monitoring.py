"""Components and Workspaces: Application Insights, and the Log Analytics behind it."""

import uuid

from bot_workbench.emulator.resource_manager.core.arm_request import ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import JsonObject, Resource
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType

COMPONENTS = "Microsoft.Insights/components"
WORKSPACES = "Microsoft.OperationalInsights/workspaces"


class Components(ResourceType):
    """Application Insights components, with a connection string."""

    created_status = 200

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """The keys are made once."""
        accepted = super().accept(request, body, existing)
        properties = accepted["properties"]
        known = {} if existing is None else existing.properties
        key = known.get("InstrumentationKey") or str(uuid.uuid4())
        region = str(body["location"])
        properties |= {
            "AppId": known.get("AppId") or str(uuid.uuid4()),
            "Application_Type": properties.get("Application_Type") or "web",
            "ApplicationId": request.id.name,
            "InstrumentationKey": key,
            "ConnectionString": (
                f"InstrumentationKey={key};IngestionEndpoint=https://{region}-1.in."
                f"applicationinsights.azure.com/;LiveEndpoint=https://{region}.livediagnostics."
                "monitor.azure.com/"
            ),
        }
        properties.setdefault("DisableLocalAuth", False)
        return accepted


class Workspaces(ResourceType):
    """Log Analytics workspaces."""

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """The customer id is made once."""
        accepted = super().accept(request, body, existing)
        known = {} if existing is None else existing.properties
        accepted["properties"]["customerId"] = known.get("customerId") or str(uuid.uuid4())
        accepted["properties"].setdefault("sku", {"name": "PerGB2018"})
        return accepted
