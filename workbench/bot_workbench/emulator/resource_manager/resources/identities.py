"""Identities: user-assigned managed identities, and those that Azure assigns to resources."""

import uuid

from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import (
    Changed,
    ResourceType,
    not_found,
)
from bot_workbench.emulator.resource_manager.throttle import Throttle

USER_ASSIGNED_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
SYSTEM_ASSIGNED_IDENTITIES = "Microsoft.ManagedIdentity/identities"


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


def system_client_id(principal_id: str) -> str:
    """The client id (GUID) of a system-assigned identity, by its object id."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, principal_id))


class SystemIdentities(ResourceType):
    """Shows the system-assigned identity of a resource: `SCOPE/.../identities/default`."""

    tracked = False

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(SYSTEM_ASSIGNED_IDENTITIES, store)

    def get(self, request: ArmRequest) -> ArmReply:
        """The ids of the identity.

        Raises:
            ArmError: 404, there is no such resource, or it has no such identity.
        """
        owner = self.store.find(request.id.scope)
        identity = (owner.body.get("identity") or {}) if owner else {}
        if owner is None or not identity.get("principalId") or request.id.name != "default":
            raise not_found(request.id, self.name)
        properties = {
            "tenantId": identity["tenantId"],
            "principalId": identity["principalId"],
            "clientId": system_client_id(identity["principalId"]),
        }
        return ArmReply(
            {
                "id": f"{owner.id}/providers/{self.name}/default",
                "name": "default",
                "type": self.name,
                "location": owner.body.get("location"),
                "properties": properties,
            }
        )
