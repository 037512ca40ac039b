"""Tenant: subscriptions, resource groups and providers: what belongs to no resource provider."""

import re
from collections.abc import Callable

from bot_workbench.emulator.resource_manager.authorization.access import Access, action_of
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import GROUP_TYPE
from bot_workbench.emulator.resource_manager.core.resource_type import (
    check_members,
    group_not_found,
    region,
)
from bot_workbench.emulator.resource_manager.tenancy.filter import filtered
from bot_workbench.emulator.resource_manager.tenancy.provider_types import (
    PROVIDER_TYPES,
    unknown_type,
)
from bot_workbench.emulator.resource_manager.tenancy.resource_graph import resource_graph
from bot_workbench.emulator.resource_manager.tenancy.subscription import (
    Subscription,
    provider_answer,
    tenant_answer,
)

GROUP_NAME = re.compile(r"^[\w.()-]{0,89}[\w()-]$")
GROUP_MEMBERS = frozenset({"id", "location", "managedBy", "name", "properties", "tags", "type"})
LISTED = ("id", "name", "type", "location", "tags", "kind", "sku", "identity", "managedBy")
"""The members of a resource in a list; no properties."""

Answer = Callable[[ArmRequest], ArmReply]


class Tenant:
    """Answers the paths that name no resource.

    Attributes:
        subscriptions: those of the tenant.
        list_lag: seconds until the list of resources has a new one, which can be read at once.
        registered: namespaces, in lower case, that the subscriptions have registered.
    """

    def __init__(self, tenant_id: str, store: ResourceStore, access: Access) -> None:
        self.tenant_id = tenant_id
        self.subscriptions = [Subscription()]
        self.registered = {name.lower() for name in PROVIDER_TYPES}
        self.list_lag = 0.0
        self._store = store
        self._access = access
        group = r"^/subscriptions/[^/]+/resourcegroups/[^/]+"
        provider = r"^/subscriptions/[^/]+/providers/[^/]+"
        self._paths: list[tuple[str, re.Pattern[str], Answer]] = [
            (method, re.compile(f"{path}$"), answer)
            for method, path, answer in (
                ("GET", "^/subscriptions", self._list_subscriptions),
                ("GET", "^/tenants", self._list_tenants),
                ("GET", "^/subscriptions/[^/]+", self._get_subscription),
                ("GET", "^/subscriptions/[^/]+/locations", self._list_locations),
                ("GET", "^/subscriptions/[^/]+/resources", self._list_resources),
                ("GET", f"{group}/resources", self._list_resources),
                ("GET", "^/subscriptions/[^/]+/resourcegroups", self._list_groups),
                ("PUT", group, self._put_group),
                ("PATCH", group, self._put_group),
                ("GET", group, self._get_group),
                ("HEAD", group, self._head_group),
                ("DELETE", group, self._delete_group),
                ("GET", "^/subscriptions/[^/]+/providers", self._list_providers),
                ("GET", provider, self._get_provider),
                ("POST", f"{provider}/register", self._register),
                ("POST", f"{provider}/unregister", self._unregister),
                ("POST", "^/providers/microsoft.resourcegraph/resources", self._query),
            )
        ]

    def find(self, request: ArmRequest) -> Answer | None:
        """The handler of a request; None if its path names a resource."""
        for method, path, answer in self._paths:
            if method == request.method and path.match(request.id.key):
                return answer
        return None

    def check_subscription(self, request: ArmRequest) -> None:
        """Refuse an unknown subscription with 404."""
        wanted = request.id.subscription_id
        if wanted and not any(each.id == wanted.lower() for each in self.subscriptions):
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{wanted}' could not be found."
            )

    def check_registered(self, namespace: str) -> None:
        """Refuse writes to a provider that the subscription has not registered with 409."""
        known = {each.lower() for each in PROVIDER_TYPES}
        if namespace.lower() in known - self.registered:
            raise ArmError(
                409,
                "MissingSubscriptionRegistration",
                f"The subscription is not registered to use namespace '{namespace}'. See "
                "https://aka.ms/rps-not-found for how to register subscriptions.",
                details=[
                    {
                        "code": "MissingSubscriptionRegistration",
                        "target": namespace,
                        "message": "The subscription is not registered to use namespace "
                        f"'{namespace}'. See https://aka.ms/rps-not-found for how to register "
                        "subscriptions.",
                    }
                ],
            )

    def _list_subscriptions(self, request: ArmRequest) -> ArmReply:
        visible = [
            each
            for each in self.subscriptions
            if self._access.reaches(request.caller.object_id, f"/subscriptions/{each.id}")
        ]
        count = {"type": "Total", "value": len(visible)}
        values = [each.answer(self.tenant_id) for each in visible]
        return ArmReply({"value": values, "count": count})

    def _list_tenants(self, _: ArmRequest) -> ArmReply:
        return listed([tenant_answer(self.tenant_id)])

    def _subscription(self, request: ArmRequest) -> Subscription:
        wanted = request.id.subscription_id.lower()
        return next(each for each in self.subscriptions if each.id == wanted)

    def _get_subscription(self, request: ArmRequest) -> ArmReply:
        return ArmReply(self._subscription(request).answer(self.tenant_id))

    def _list_locations(self, request: ArmRequest) -> ArmReply:
        return listed(self._subscription(request).locations())

    def _list_resources(self, request: ArmRequest) -> ArmReply:
        scope = request.id.text.rpartition("/")[0]
        top_level = [
            each
            for each in self._store.within(scope)
            if each.type.count("/") == 1 and self._is_listed(request, each)
        ]
        found = filtered(top_level, request.query.get("$filter", ""))
        return listed([_shown(each) for each in found])

    def _query(self, request: ArmRequest) -> ArmReply:
        return resource_graph(
            request, [each for each in self._store if self._is_listed(request, each)]
        )

    def _is_listed(self, request: ArmRequest, resource: Resource) -> bool:
        """Whether lists of resources show one to the caller yet."""
        is_tracked = "location" in resource.body and resource.type != GROUP_TYPE
        is_due = resource.created + self.list_lag <= self._store.clock()
        return is_tracked and is_due and self._may_read(request, resource)

    def _list_groups(self, request: ArmRequest) -> ArmReply:
        scope = f"/subscriptions/{request.id.subscription_id}"
        groups = filtered(self._store.of_type(GROUP_TYPE, scope), request.query.get("$filter", ""))
        return listed([each.answer() for each in groups if self._may_read(request, each)])

    def _may_read(self, request: ArmRequest, resource: Resource) -> bool:
        caller, action = request.caller.object_id, action_of(resource.type, "read")
        return self._access.is_allowed(caller, action, resource.id)

    def _put_group(self, request: ArmRequest) -> ArmReply:
        check_members(request.body, GROUP_MEMBERS, "ResourceGroupDefinition")
        name = request.id.last
        existing = self._store.find(request.id.text)
        if existing is None and request.method == "PATCH":
            raise group_not_found(name)
        if not GROUP_NAME.match(name):
            raise bad_request(
                "InvalidResourceGroup", "The resource group name is invalid or too long."
            )
        location = request.body.get("location") or (existing and existing.body["location"])
        if not location:
            raise bad_request(
                "LocationRequired", "The location property is required for this definition."
            )
        location = region(location)
        if existing is not None and existing.body["location"] != location:
            raise ArmError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists "
                f"in location '{existing.body['location']}'.",
            )
        body: JsonObject = {"location": location, "properties": {"provisioningState": "Succeeded"}}
        tags = request.body.get("tags", existing.body.get("tags") if existing else None)
        if tags is not None:
            body["tags"] = tags
        path = f"/subscriptions/{request.id.subscription_id}/resourceGroups/{name}"
        group = self._store.add(Resource(existing.id if existing else path, GROUP_TYPE, body))
        return ArmReply(group.answer(), 200 if existing else 201)

    def _group(self, request: ArmRequest) -> Resource:
        found = self._store.find(request.id.text)
        if found is None:
            raise group_not_found(request.id.last)
        return found

    def _get_group(self, request: ArmRequest) -> ArmReply:
        return ArmReply(self._group(request).answer())

    def _head_group(self, request: ArmRequest) -> ArmReply:
        return ArmReply(status=204 if request.id.text in self._store else 404)

    def _delete_group(self, request: ArmRequest) -> ArmReply:
        self._store.remove(self._group(request).id)
        return ArmReply(status=200)

    def _list_providers(self, request: ArmRequest) -> ArmReply:
        return listed([self._described(name, request) for name in PROVIDER_TYPES])

    def _get_provider(self, request: ArmRequest) -> ArmReply:
        return ArmReply(self._described(self._namespace(request.id.last), request))

    def _register(self, request: ArmRequest) -> ArmReply:
        namespace = self._namespace(request.id.text.split("/")[4])
        self.registered.add(namespace.lower())
        return ArmReply(self._described(namespace, request))

    def _unregister(self, request: ArmRequest) -> ArmReply:
        namespace = self._namespace(request.id.text.split("/")[4])
        self.registered.discard(namespace.lower())
        return ArmReply(self._described(namespace, request))

    def _described(self, namespace: str, request: ArmRequest) -> JsonObject:
        return provider_answer(
            namespace,
            request.id.subscription_id,
            is_registered=namespace.lower() in self.registered,
        )

    @staticmethod
    def _namespace(name: str) -> str:
        """The canonical name of a provider.

        Raises:
            ArmError: 404, there is no such provider.
        """
        for namespace in PROVIDER_TYPES:
            if namespace.lower() == name.lower():
                return namespace
        raise unknown_type(name, "")


def _shown(resource: Resource) -> JsonObject:
    answer = resource.answer()
    return {name: answer[name] for name in LISTED if answer.get(name) is not None}
