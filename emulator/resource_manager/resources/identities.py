"""Identities: user-assigned managed identities."""

import uuid

from emulator.resource_manager.core.arm_request import ArmRequest
from emulator.resource_manager.core.resource import JsonObject, Resource, ResourceStore
from emulator.resource_manager.core.resource_id import ResourceId
from emulator.resource_manager.core.resource_type import Changed, ResourceType
from emulator.resource_manager.throttle import Throttle

USER_ASSIGNED_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


class Identities(ResourceType):
    """Creates managed identities, each with a service principal in the directory.

    Attributes:
        throttle: of writes to one identity; off, unless its `size` is set (Azure allows one write
            in four seconds).
    """

    state = ""

    def __init__(self, store: ResourceStore, tenant_id: str, changed: Changed) -> None:
        super().__init__(USER_ASSIGNED_IDENTITIES, store)
        self._tenant_id = tenant_id
        self._changed = changed
        self.throttle = Throttle(size=0, refill=0.25)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """The ids are the service's own; they stay as long as the identity exists."""
        self.throttle.take(request.id.key)
        sent = body.get("properties") or {}
        made = {
            "tenantId": self._tenant_id,
            "principalId": str(uuid.uuid4()),
            "clientId": str(uuid.uuid4()),
        }
        known = {} if existing is None else existing.properties
        properties = {name: known.get(name, value) for name, value in made.items()}
        scope = sent.get("isolationScope") or known.get("isolationScope")
        if scope:
            properties["isolationScope"] = scope
        return {
            "location": body["location"],
            "tags": body.get("tags") or {},
            "properties": properties,
        }

    def canonical_id(self, resource_id: ResourceId) -> str:
        """This provider writes `resourcegroups` in lower case."""
        return (
            f"/subscriptions/{resource_id.subscription_id}/resourcegroups/{resource_id.group_name}"
            f"/providers/{USER_ASSIGNED_IDENTITIES}/{resource_id.name}"
        )

    def changed(self, resource: Resource) -> None:
        """Let the directory know."""
        self._changed(resource)

    def age(self, principal_id: str) -> float | None:
        """Seconds since the identity of this object id was created; None if there is none."""
        for each in self.store.of_type(USER_ASSIGNED_IDENTITIES):
            if each.properties["principalId"] == principal_id:
                return self.store.clock() - each.created
        return None
