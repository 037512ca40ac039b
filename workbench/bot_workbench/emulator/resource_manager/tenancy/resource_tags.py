"""ResourceTags: the tags of any resource, group or subscription, as a resource of its own."""

from bot_workbench.emulator.resource_manager.core.arm_error import bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType, not_found

TAGS = "Microsoft.Resources/tags"


class ResourceTags(ResourceType):
    """`SCOPE/providers/Microsoft.Resources/tags/default`, which `az tag update` writes."""

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(TAGS, store)

    def get(self, request: ArmRequest) -> ArmReply:
        """The tags of the scope."""
        owner = self._owner(request)
        tags = {"tags": owner.body.get("tags") or {}}
        return ArmReply(
            {"id": request.id.text, "name": "default", "type": TAGS, "properties": tags}
        )

    def put(self, request: ArmRequest) -> ArmReply:
        """Replace all tags of the scope."""
        return self._write(request, "replace")

    def patch(self, request: ArmRequest) -> ArmReply:
        """Merge, replace or delete tags, by the body's `operation`."""
        return self._write(request, str(request.body.get("operation") or "").lower())

    def delete(self, request: ArmRequest) -> ArmReply:
        """Remove all tags of the scope."""
        self._owner(request).body["tags"] = {}
        return ArmReply()

    def _write(self, request: ArmRequest, operation: str) -> ArmReply:
        owner, sent = self._owner(request), request.properties.get("tags") or {}
        old: JsonObject = owner.body.get("tags") or {}
        results = {
            "merge": {**old, **sent},
            "replace": dict(sent),
            "delete": {name: value for name, value in old.items() if name not in sent},
        }
        if operation not in results:
            raise bad_request(
                "InvalidTagOperation", f"The operation '{operation}' on tags is unknown."
            )
        owner.body["tags"] = results[operation]
        owner.touch()
        return self.get(request)

    def _owner(self, request: ArmRequest) -> Resource:
        scope = ResourceId(request.id.scope)
        found = self.store.find(scope.text)
        if found is None:
            raise not_found(scope, scope.type)
        return found
