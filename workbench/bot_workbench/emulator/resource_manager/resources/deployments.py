"""Deployments: the record of template deployments, with the parameters that they had."""

import datetime
from typing import Any

from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType

DEPLOYMENTS = "Microsoft.Resources/deployments"
_TYPES: dict[type, str] = {bool: "Bool", int: "Int", str: "String", list: "Array", dict: "Object"}


class Deployments(ResourceType):
    """Records what was deployed, and deploys nothing: whoever plays azd or `az` creates the rest.

    Microsoft reference: "Deployments - List At Subscription Scope", of which it has the parameters,
    each with its type and value, the state, the time and the tags. No template is returned.
    """

    tracked = False

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(DEPLOYMENTS, store)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """The body of a GET."""
        sent = request.properties
        parameters = {
            name: {"type": _TYPES.get(type(each["value"]), "Object"), "value": each["value"]}
            for name, each in (sent.get("parameters") or {}).items()
        }
        properties: dict[str, Any] = {
            "mode": sent.get("mode", "Incremental"),
            "parameters": parameters,
            "provisioningState": "Succeeded",
            "timestamp": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        return {**body, "properties": properties}

    def list_all(self, request: ArmRequest) -> ArmReply:
        """Those of this scope alone: a subscription's list has none of its groups'."""
        self.check_parent(request.id)
        path = request.id.key
        found = self.store.of_type(self.name, request.id.scope)
        return listed([self.answer(each) for each in found if each.id.lower().startswith(path)])
