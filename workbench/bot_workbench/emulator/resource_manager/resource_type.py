"""ResourceType: a row of the table of resource types, and what every type does without its own.

What a PUT sends is stored, and a GET returns it. A row names what its type does otherwise: each is
a function that gets the request, through which it reaches the tenant.
"""

import copy
import datetime
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.resource_manager.access import Access, ArmCaller
from bot_workbench.emulator.resource_manager.errors import ArmError, error
from bot_workbench.emulator.resource_manager.resource import (
    JsonObject,
    Resource,
    ResourceId,
    ResourceStore,
    region,
)
from bot_workbench.emulator.resource_manager.throttle import Throttle

OWN = ("2022-09-01",)
"""The versions of Resource Manager's own types, which answer every version."""

AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)
"""Joins the terms of a `$filter`; not the one in a text."""

NOT_STORED = ("id", "name", "type", "etag")
"""Members of a body that the service makes itself."""

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


@dataclass
class Subscription:
    """One subscription of the tenant.

    Attributes:
        id: GUID.
        name: as the portal shows it.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str = "Contoso"


@dataclass
class Tenant:
    """What requests read and change.

    Attributes:
        id: GUID.
        directory: has users and service principals.
        types: the resource types, by name in lower case.
        on_change: called after each write of a resource, and after its removal.
        on_purge: called after a deleted vault was purged, with everything in it.
        subscriptions: those of the tenant.
        namespaces: of the resource providers, by themselves in lower case.
        registered: those that the subscriptions have registered, in lower case.
        resources: everything that exists.
        access: who may do what.
        deleted_vaults: by name in lower case; the names stay reserved.
        list_lag: seconds until the list of resources has a new one, which can be read at once.
        directory_lag: seconds until a new principal is found without `principalType`.
        utc: the date and time, for `createdOn` and `updatedOn`; a test may replace it.
        identity_throttle: of writes to one managed identity; off, unless its `size` is set (Azure
            allows one write in four seconds).
        patch_replaces_identities: whether a PATCH replaces a site's map of user-assigned
            identities. The reference does not say; False: it adds to the map, and a null removes
            from it.
        patch_needs_identity: whether a PATCH of a bot must repeat displayName and msaAppId, as the
            schema says; what the service does is not documented.
        accepts_multi_tenant: whether a new bot may be multi-tenant, as before 31 July 2025.
    """

    id: str
    directory: Directory
    types: Mapping[str, "ResourceType"]
    on_change: Callable[[Resource], None]
    subscriptions: list[Subscription] = field(default_factory=lambda: [Subscription()])
    on_purge: Callable[[Resource], None] = lambda _: None
    resources: ResourceStore = field(default_factory=ResourceStore)
    deleted_vaults: dict[str, Resource] = field(default_factory=dict)
    list_lag: float = 0.0
    directory_lag: float = 0.0
    utc: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    identity_throttle: Throttle = field(default_factory=lambda: Throttle(size=0, refill=0.25))
    patch_replaces_identities: bool = False
    patch_needs_identity: bool = False
    accepts_multi_tenant: bool = False

    def __post_init__(self) -> None:
        self.access = Access(self.resources)
        self.namespaces = {kind.namespace.lower(): kind.namespace for kind in self.types.values()}
        self.registered = set(self.namespaces)
        self.resources.on_remove = self.changed

    def changed(self, resource: Resource) -> None:
        """A resource was written or removed: its type and whoever listens act on it, unless this is
        a trial."""
        if not self.resources.is_trial:
            self.types[resource.type.lower()].changed(self, resource)
            self.on_change(resource)


@dataclass(frozen=True)
class ArmRequest:
    """One authenticated call.

    Attributes:
        method: GET, HEAD, PUT, PATCH, POST or DELETE.
        id: of the resource, the collection or the action.
        query: its parameters, by names in lower case.
        body: the JSON object that was sent; empty if there was none.
        caller: who calls.
        base_url: where the caller reached this server, without a slash at the end.
        tenant: the tenant.
    """

    method: str
    id: ResourceId
    query: Mapping[str, str]
    body: JsonObject
    caller: ArmCaller
    base_url: str
    tenant: Tenant

    @property
    def properties(self) -> JsonObject:
        """The body's `properties`; empty if there are none."""
        return self.body.get("properties") or {}

    @property
    def store(self) -> ResourceStore:
        """Everything that exists."""
        return self.tenant.resources

    @property
    def version(self) -> str:
        """Its api-version; empty if there is none."""
        return self.query.get("api-version", "")

    @property
    def is_action(self) -> bool:
        """Whether the path ends in an action."""
        return self.method == "POST" and self.id.is_collection

    def type_of(self, resource_id: ResourceId) -> "ResourceType":
        """The type of a resource or collection, whatever the case of its name.

        Raises:
            ArmError: 404, the provider or the type is unknown.
        """
        found = self.tenant.types.get(resource_id.type.lower())
        if found is None:
            raise unknown_type(self.tenant, resource_id.type, self.version)
        return found


@dataclass
class ArmReply:
    """One response.

    Attributes:
        body: JSON; None for a response without content.
        xml: sent instead of JSON, if it is not empty.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    xml: str = ""


Answer = Callable[[ArmRequest], ArmReply]


def listed(items: list[JsonObject]) -> ArmReply:
    """A collection's response; the server divides it into pages."""
    return ArmReply({"value": items})


@dataclass(frozen=True)
class Write:
    """A resource that is about to be written.

    Attributes:
        request: a PUT or PATCH.
        body: what was sent; of a PATCH, what the resource would be.
        existing: the resource as it is; None for a new one.
        hidden: what no GET of the resource will return; to be changed.
    """

    request: ArmRequest
    body: JsonObject
    existing: Resource | None
    hidden: JsonObject

    @property
    def sent(self) -> JsonObject:
        """The body's `properties`; empty if there are none."""
        return self.body.get("properties") or {}

    @cached_property
    def known(self) -> JsonObject:
        """The `properties` that the resource has; empty for a new one."""
        return {} if self.existing is None else self.existing.properties


def _any_name(_: str) -> None:
    """Every name is possible."""


def _nothing(_: Tenant, __: Resource) -> None:
    """No other resource changes."""


def _as_sent(write: Write) -> JsonObject:
    """The body that was sent."""
    return write.body


@dataclass(frozen=True)
class ResourceType:
    """A row of the table of resource types.

    Attributes:
        name: with its canonical case, for example `Microsoft.Storage/storageAccounts`.
        versions: stable ones first, the newest of them at the start: `az resource` takes that one.
        has_location: a PUT must say where the resource is; those of children need not.
        created_status, changed_status: of a PUT that creates, and of one that changes.
        state: `provisioningState` after a write; empty for types that have none, or set it
            themselves.
        has_etag: a GET, PUT and PATCH return the etag as a header.
        check_name: refuses names that no resource of the type has.
        canonical_id: the id that the service writes for a new resource.
        accept: the body to store; refuses what the service refuses.
        shown: the resource as a client sees it.
        changed: what else changes with a resource; called after each write, and once it is removed.
        answers: the type's own answers to GET, PUT, PATCH, DELETE and LIST, which is a GET of the
            collection; to `POST ACTION` with the action in lower case, and to POST of any other.
    """

    name: str
    versions: tuple[str, ...]
    has_location: bool = True
    created_status: int = 201
    changed_status: int = 200
    state: str = "Succeeded"
    has_etag: bool = False
    check_name: Callable[[str], None] = _any_name
    canonical_id: Callable[[ArmRequest], str] = lambda request: request.id.text
    accept: Callable[[Write], JsonObject] = _as_sent
    shown: Callable[[Resource], JsonObject] = Resource.answer
    changed: Callable[[Tenant, Resource], None] = _nothing
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """Its resource provider, for example `Microsoft.Storage`."""
        return self.name.partition("/")[0]

    @property
    def is_child(self) -> bool:
        """Its resources are children of others of the same provider."""
        return self.name.count("/") > 1


def answer(request: ArmRequest) -> ArmReply:
    """Carry a request for a resource, a collection or an action out.

    Raises:
        ArmError: the resource provider refuses it.
    """
    if request.is_action:
        own = request.type_of(request.id.parent).answers
        return own.get(f"POST {request.id.name.lower()}", own.get("POST", _unknown_action))(request)
    own, method = request.type_of(request.id).answers, request.method
    if request.id.is_collection:
        method = "LIST" if method == "GET" else ""
    if method not in _ANSWERS:
        raise error("MethodNotAllowed", method=request.method, path=request.id.text)
    return own.get(method, _ANSWERS[method])(request)


def put(request: ArmRequest) -> ArmReply:
    """Create or replace a resource."""
    kind, existing = request.type_of(request.id), request.store.find(request.id.text)
    check_parent(request, request.id)
    body = _sent(request)
    if kind.has_location and not request.id.is_child:
        check_members(request.body, MEMBERS, "ResourceDefinition")
        body["location"] = _location(request.id, body, existing)
    return _write(request, body, existing)


def _patch(request: ArmRequest) -> ArmReply:
    """Change what the body names, except the location; `tags` are replaced as a whole."""
    resource = existing(request, request.id)
    sent = {name: value for name, value in _sent(request).items() if name != "location"}
    body = _merged(resource.body, sent)
    if "tags" in request.body:
        body["tags"] = request.body["tags"] or {}
    return _write(request, body, resource)


def _write(request: ArmRequest, body: JsonObject, known: Resource | None) -> ArmReply:
    kind = request.type_of(request.id)
    write = Write(request, body, known, {} if known is None else dict(known.hidden))
    accepted = kind.accept(write)
    if kind.state:
        accepted.setdefault("properties", {})["provisioningState"] = kind.state
    if known is None:
        resource = Resource(kind.canonical_id(request), kind.name, accepted, write.hidden)
        request.store.add(resource)
    else:
        resource = known
        resource.body, resource.hidden = accepted, write.hidden
        resource.touch()
    request.tenant.changed(resource)
    status = kind.created_status if known is None else kind.changed_status
    return _shown(kind, resource, status)


def _get(request: ArmRequest) -> ArmReply:
    return _shown(request.type_of(request.id), existing(request, request.id), 200)


def _shown(kind: ResourceType, resource: Resource, status: int) -> ArmReply:
    headers = {"ETag": resource.etag} if kind.has_etag else {}
    return ArmReply(kind.shown(resource), status, headers)


def _head(request: ArmRequest) -> ArmReply:
    return ArmReply(status=204 if request.id.text in request.store else 404)


def _delete(request: ArmRequest) -> ArmReply:
    """Remove a resource and its children: 200, or 204 if there is none."""
    if request.id.text not in request.store:
        return ArmReply(status=204)
    request.store.remove(request.id.text)
    return ArmReply()


def _list(request: ArmRequest) -> ArmReply:
    """The resources of a group, a subscription or a parent."""
    kind = request.type_of(request.id)
    check_parent(request, request.id)
    scope = request.id.parent.text if kind.is_child else request.id.scope
    return listed([kind.shown(each) for each in request.store.of_type(kind.name, scope)])


def _unknown_action(request: ArmRequest) -> ArmReply:
    existing(request, request.id.parent)
    kind = request.type_of(request.id.parent)
    raise error("NotFound: action", action=request.id.name.lower(), type=kind.name)


_ANSWERS: dict[str, Answer] = {
    "GET": _get,
    "PUT": put,
    "PATCH": _patch,
    "DELETE": _delete,
    "HEAD": _head,
    "LIST": _list,
}


def existing(request: ArmRequest, resource_id: ResourceId) -> Resource:
    """The resource of an id.

    Raises:
        ArmError: 404, there is none.
    """
    kind = request.type_of(resource_id)
    kind.check_name(resource_id.name)
    found = request.store.find(resource_id.text)
    if found is None:
        check_parent(request, resource_id, reading=True)
        raise not_found(resource_id, kind.name)
    return found


def check_parent(request: ArmRequest, resource_id: ResourceId, *, reading: bool = False) -> None:
    """Refuse a resource whose resource group, or parent, does not exist."""
    if resource_id.group_id and resource_id.group_id not in request.store:
        raise error("ResourceGroupNotFound", name=resource_id.group_name)
    kind = request.type_of(resource_id)
    parent = resource_id.parent
    if not (resource_id.is_child or kind.is_child) or parent.text in request.store:
        return
    if reading or resource_id.is_collection:
        raise not_found(parent, parent.type)
    raise error("ParentResourceNotFound", type=kind.name.partition("/")[2], parent=parent.text)


def check_version(request: ArmRequest) -> None:
    """Refuse a request with a version that its type, or the one above an action, does not answer.

    Raises:
        ArmError: 400 `NoRegisteredProviderFound`.
    """
    types, name = request.tenant.types, request.id.type.lower()
    while name and name not in types:
        name = name.rpartition("/")[0]
    versions = types[name].versions if name else OWN
    if versions != OWN and request.version not in versions:
        raise error(
            "NoRegisteredProviderFound",
            location=request.body.get("location") or "global",
            version=request.version,
            type=request.id.type.partition("/")[2],
            versions=", ".join(sorted(versions)),
        )


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
            reason = f"Could not find member '{name}' on object of type '{kind}'. Path '{name}'."
            raise error("InvalidRequestContent", reason=reason)


def availability(problem: ArmError | None) -> ArmReply:
    """The answer of a provider's `checkNameAvailability`.

    Args:
        problem: with which a new resource of the name is refused.
    """
    if problem is None:
        return ArmReply({"nameAvailable": True})
    reason = "AccountNameInvalid" if problem.status == 400 else "AlreadyExists"
    return ArmReply({"nameAvailable": False, "reason": reason, "message": str(problem)})


def not_found(resource_id: ResourceId, type_name: str) -> ArmError:
    """ARM's 404 for a resource."""
    group = resource_id.group_name or "<null>"
    return error("ResourceNotFound", type=type_name, name=resource_id.full_name, group=group)


def unknown_type(tenant: Tenant, type_name: str, version: str) -> ArmError:
    """ARM's 404 for a type that it does not have, or whose provider it does not have."""
    namespace = type_name.partition("/")[0]
    if namespace.lower() not in tenant.namespaces:
        return error("InvalidResourceNamespace", namespace=namespace)
    return error("InvalidResourceType", namespace=namespace, version=version)


def _sent(request: ArmRequest) -> JsonObject:
    return {
        name: copy.deepcopy(value)
        for name, value in request.body.items()
        if name not in NOT_STORED and value is not None
    }


def _location(resource_id: ResourceId, body: JsonObject, known: Resource | None) -> object:
    """The location to store: a resource that exists stays where it is.

    Raises:
        ArmError: 400, a new resource has none; 409, it is another one than before.
    """
    wanted, old = body.get("location"), known and known.body.get("location")
    if not wanted and known is None:
        raise error("LocationRequired")
    if wanted and old and region(wanted) != region(old):
        raise error(
            "InvalidResourceLocation",
            name=resource_id.name,
            known=region(old),
            group=resource_id.group_name,
            wanted=region(wanted),
        )
    return wanted or old


def _merged(old: JsonObject, new: JsonObject) -> JsonObject:
    """A JSON merge patch (RFC 7396) of two objects; a null leaves what is there.

    Clients write members that they do not change as null, and providers ignore those.
    """
    result = copy.deepcopy(old)
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = _merged(result[name], value)
        elif value is not None:
            result[name] = copy.deepcopy(value)
    return result
