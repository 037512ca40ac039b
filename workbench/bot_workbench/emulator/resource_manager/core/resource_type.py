"""ResourceType: creates, reads, updates, lists and deletes the resources of one type."""

import copy
from collections.abc import Callable

from bot_workbench.emulator.resource_manager.core.arm_error import (
    ArmError,
    bad_request,
    conflict,
    invalid_content,
)
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    NOT_STORED,
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId

Changed = Callable[[Resource], None]

MEMBERS = frozenset(
    {
        "etag",
        "extendedLocation",
        "id",
        "identity",
        "kind",
        "location",
        "managedBy",
        "name",
        "plan",
        "properties",
        "scale",
        "sku",
        "systemData",
        "tags",
        "type",
        "zones",
    }
)
"""Top-level members of a tracked resource; Resource Manager refuses any other."""


class ResourceType:
    """The default: what a PUT sends is stored, and a GET returns it.

    Types with rules of their own override `accept`, `hidden`, `answer`, `changed` and `act`.

    Args:
        name: with its canonical case, for example `Microsoft.Storage/storageAccounts`.
        store: of all resources.

    Attributes:
        tracked: it has a location, which a PUT must name.
        created_status: HTTP status of a PUT that creates.
        state: `provisioningState` after a write; empty for types that have none.
    """

    tracked = True
    created_status = 201
    state = "Succeeded"

    def __init__(self, name: str, store: ResourceStore) -> None:
        self.name = name
        self.store = store

    def put(self, request: ArmRequest) -> ArmReply:
        """Create or replace a resource: 201 or 200."""
        existing = self.store.find(request.id.text)
        self.check_parent(request.id)
        body = self._sent(request)
        if self.tracked and not request.id.is_child:
            check_members(request.body, MEMBERS, "ResourceDefinition")
            body["location"] = _location(request.id, body, existing)
        resource = self.store_body(request, existing, self.accept(request, body, existing))
        return self.written(resource, self.created_status if existing is None else 200)

    def patch(self, request: ArmRequest) -> ArmReply:
        """Change what the body names, except the location; `tags` are replaced as a whole."""
        existing = self.existing(request.id)
        sent = {name: value for name, value in self._sent(request).items() if name != "location"}
        body = merged(existing.body, sent)
        if "tags" in request.body:
            body["tags"] = request.body["tags"] or {}
        resource = self.store_body(request, existing, self.accept(request, body, existing))
        return self.written(resource, 200)

    def get(self, request: ArmRequest) -> ArmReply:
        """The resource."""
        return ArmReply(self.answer(self.existing(request.id)))

    def delete(self, request: ArmRequest) -> ArmReply:
        """Remove the resource and its children: 200, or 204 if there is none."""
        resource = self.store.find(request.id.text)
        if resource is None:
            return ArmReply(status=204)
        self.store.remove(resource.id)
        return ArmReply(status=200)

    def list_all(self, request: ArmRequest) -> ArmReply:
        """The resources of a group, a subscription or a parent."""
        self.check_parent(request.id)
        scope = request.id.parent.text if self.is_child else request.id.scope
        return listed([self.answer(each) for each in self.store.of_type(self.name, scope)])

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """A POST to the resource; generic types know no action.

        Args:
            action: the last segment of the path, in lower case.

        Raises:
            ArmError: 404, there is no such resource, or no such action.
        """
        self.existing(request.id.parent)
        raise ArmError(404, "NotFound", f"The action '{action}' is unknown for '{self.name}'.")

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """The body to store for what a client sends; types with rules refuse it here.

        Raises:
            ArmError: the resource provider refuses it.
        """
        if self.state:
            body.setdefault("properties", {})["provisioningState"] = self.state
        return body

    def hidden(self, request: ArmRequest, existing: Resource | None) -> JsonObject:
        """The properties that a resource has after a write and no GET returns."""
        return {} if existing is None else existing.hidden

    def answer(self, resource: Resource) -> JsonObject:
        """A resource as a client sees it."""
        return resource.answer()

    def changed(self, resource: Resource) -> None:
        """Called after each write and after a delete."""

    def removed(self, resource: Resource) -> None:
        """Called when a resource is no longer in the store: by itself, with its group or parent."""
        self.changed(resource)

    @property
    def is_child(self) -> bool:
        """Its resources are children of others of the same provider."""
        return self.name.count("/") > 1

    def canonical_id(self, resource_id: ResourceId) -> str:
        """The id that the service writes for a new resource."""
        return resource_id.text

    def existing(self, resource_id: ResourceId) -> Resource:
        """The resource of this id.

        Raises:
            ArmError: 404, there is none.
        """
        found = self.store.find(resource_id.text)
        if found is None:
            self.check_parent(resource_id, reading=True)
            raise not_found(resource_id, self.name)
        return found

    def check_parent(self, resource_id: ResourceId, *, reading: bool = False) -> None:
        """Refuse a resource whose resource group, or parent, does not exist."""
        if resource_id.group_id and resource_id.group_id not in self.store:
            raise group_not_found(resource_id.group_name)
        if not (resource_id.is_child or self.is_child):
            return
        parent = resource_id.parent
        if parent.text not in self.store:
            if reading or resource_id.is_collection:
                raise not_found(parent, parent.type)
            raise ArmError(
                404,
                "ParentResourceNotFound",
                f"Failed to perform 'write' on resource(s) of type "
                f"'{self.name.partition('/')[2]}', because the parent resource '{parent.text}' "
                "could not be found.",
            )

    def store_body(
        self, request: ArmRequest, existing: Resource | None, body: JsonObject
    ) -> Resource:
        """Store a body as this resource's."""
        hidden = self.hidden(request, existing)
        if existing is None:
            resource = Resource(self.canonical_id(request.id), self.name, body, hidden)
            self.store.add(resource)
        else:
            resource = existing
            resource.body, resource.hidden = body, hidden
            resource.touch()
        self.changed(resource)
        return resource

    def written(self, resource: Resource, status: int) -> ArmReply:
        """The response to a write."""
        return ArmReply(self.answer(resource), status)

    @staticmethod
    def _sent(request: ArmRequest) -> JsonObject:
        return {
            name: copy.deepcopy(value)
            for name, value in request.body.items()
            if name not in NOT_STORED and value is not None
        }


def check_members(body: JsonObject, known: frozenset[str], kind: str) -> None:
    """Refuse a body with unknown members.

    Args:
        body: of a PUT.
        known: the members that it may have.
        kind: what Resource Manager calls such a body.

    Raises:
        ArmError: 400 `InvalidRequestContent`, naming the member.
    """
    for name in body:
        if name not in known:
            raise invalid_content(
                f"Could not find member '{name}' on object of type '{kind}'. Path '{name}'."
            )


def region(location: object) -> str:
    """The name of a region; clients may send its display name instead: `West Europe`."""
    return str(location).replace(" ", "").lower()


def _location(resource_id: ResourceId, body: JsonObject, existing: Resource | None) -> object:
    """The location to store: a resource that exists stays where it is.

    Raises:
        ArmError: 400, a new resource has none; 409, it is another one than before.
    """
    wanted, known = body.get("location"), existing and existing.body.get("location")
    if not wanted and existing is None:
        raise bad_request(
            "LocationRequired", "The location property is required for this definition."
        )
    if wanted and known and region(wanted) != region(known):
        raise conflict(
            "InvalidResourceLocation",
            f"The resource '{resource_id.name}' already exists in location '{region(known)}' in "
            f"resource group '{resource_id.group_name}'. A resource with the same name cannot be "
            f"created in location '{region(wanted)}'. Please select a new resource name.",
        )
    return wanted or known


def merged(old: JsonObject, new: JsonObject) -> JsonObject:
    """A JSON merge patch (RFC 7396) of two objects; a null leaves what is there.

    Clients write members that they do not change as null, and providers ignore those.
    """
    result = copy.deepcopy(old)
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        elif value is not None:
            result[name] = copy.deepcopy(value)
    return result


def not_found(resource_id: ResourceId, type_name: str) -> ArmError:
    """ARM's 404 for a resource."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{type_name}/{resource_id.full_name}' under resource group "
        f"'{resource_id.group_name or '<null>'}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def group_not_found(name: str) -> ArmError:
    """ARM's 404 for a resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
