"""What Resource Manager answers itself: subscriptions, groups, providers, lists, tags."""

import re

from bot_workbench.emulator.resource_manager.access import action_of
from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.resource import (
    GROUP_TYPE,
    LOCATIONS,
    JsonObject,
    Resource,
    ResourceId,
    region,
)
from bot_workbench.emulator.resource_manager.resource_graph import resource_graph
from bot_workbench.emulator.resource_manager.resource_type import (
    AND,
    Answer,
    ArmReply,
    ArmRequest,
    Subscription,
    Tenant,
    check_members,
    existing,
    listed,
    not_found,
    unknown_type,
)

GROUP_NAME = re.compile(r"^[\w.()-]{0,89}[\w()-]$")
GROUP_MEMBERS = frozenset({"id", "location", "managedBy", "name", "properties", "tags", "type"})
LISTED = ("id", "name", "type", "location", "tags", "kind", "sku", "identity", "managedBy")
"""The members of a resource in a list; no properties."""

COMPARISON = re.compile(
    r"^(resourcetype|name|resourcegroup|location|tagname|tagvalue)\s+(eq|ne)\s+'((?:[^']|'')*)'$",
    re.IGNORECASE,
)
SUBSTRING = re.compile(r"^substringof\('((?:[^']|'')*)',\s*name\)$", re.IGNORECASE)


def check_subscription(request: ArmRequest) -> None:
    """Refuse an unknown subscription with 404."""
    wanted = request.id.subscription_id
    if wanted and not any(each.id == wanted.lower() for each in request.tenant.subscriptions):
        raise error("SubscriptionNotFound", id=wanted)


def check_registered(request: ArmRequest) -> None:
    """Refuse writes to a provider that the subscription has not registered with 409."""
    namespace, tenant = request.id.namespace, request.tenant
    if namespace.lower() in tenant.namespaces.keys() - tenant.registered:
        refusal = error("MissingSubscriptionRegistration", namespace=namespace)
        refusal.details = [
            {"code": refusal.code, "target": namespace, "message": str(refusal)},
        ]
        raise refusal


def list_subscriptions(request: ArmRequest) -> ArmReply:
    """`/subscriptions`: those that the caller may see."""
    tenant, caller = request.tenant, request.caller.object_id
    values = [
        _subscription_answer(tenant, each)
        for each in tenant.subscriptions
        if tenant.access.reaches(caller, f"/subscriptions/{each.id}")
    ]
    return ArmReply({"value": values, "count": {"type": "Total", "value": len(values)}})


def get_subscription(request: ArmRequest) -> ArmReply:
    """`/subscriptions/ID`."""
    wanted = request.id.subscription_id.lower()
    found = next(each for each in request.tenant.subscriptions if each.id == wanted)
    return ArmReply(_subscription_answer(request.tenant, found))


def _subscription_answer(tenant: Tenant, subscription: Subscription) -> JsonObject:
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": tenant.id,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def list_tenants(request: ArmRequest) -> ArmReply:
    """`/tenants`: the one."""
    return listed(
        [
            {
                "id": f"/tenants/{request.tenant.id}",
                "tenantId": request.tenant.id,
                "countryCode": "US",
                "displayName": "Contoso",
                "domains": ["contoso.onmicrosoft.com"],
                "tenantCategory": "Home",
                "defaultDomain": "contoso.onmicrosoft.com",
                "tenantType": "AAD",
            }
        ]
    )


def list_locations(request: ArmRequest) -> ArmReply:
    """`/subscriptions/ID/locations`: the regions."""
    subscription_id = request.id.subscription_id.lower()
    return listed(
        [
            {
                "id": f"/subscriptions/{subscription_id}/locations/{name}",
                "name": name,
                "type": "Region",
                "displayName": display_name,
                "regionalDisplayName": display_name,
                "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
            }
            for name, display_name in LOCATIONS.items()
        ]
    )


def list_resources(request: ArmRequest) -> ArmReply:
    """`resources` of a subscription or a group: those that are children of no other."""
    scope = request.id.text.rpartition("/")[0]
    top_level = [
        each
        for each in request.store.within(scope)
        if each.type.count("/") == 1 and _is_listed(request, each)
    ]
    found = filtered(top_level, request.query.get("$filter", ""))
    answers = [each.answer() for each in found]
    return listed(
        [{name: each[name] for name in LISTED if each.get(name) is not None} for each in answers]
    )


def query(request: ArmRequest) -> ArmReply:
    """A query of Resource Graph."""
    return resource_graph(request, [each for each in request.store if _is_listed(request, each)])


def _is_listed(request: ArmRequest, resource: Resource) -> bool:
    """Whether lists of resources show one to the caller yet."""
    is_tracked = "location" in resource.body and resource.type != GROUP_TYPE
    is_due = resource.created + request.tenant.list_lag <= request.store.clock()
    return is_tracked and is_due and _may_read(request, resource)


def _may_read(request: ArmRequest, resource: Resource) -> bool:
    caller, action = request.caller.object_id, action_of(resource.type, "read")
    return request.tenant.access.is_allowed(caller, action, resource.id)


def list_groups(request: ArmRequest) -> ArmReply:
    """`resourceGroups` of a subscription: those that the caller may read."""
    scope = f"/subscriptions/{request.id.subscription_id}"
    groups = filtered(request.store.of_type(GROUP_TYPE, scope), request.query.get("$filter", ""))
    return listed([each.answer() for each in groups if _may_read(request, each)])


def put_group(request: ArmRequest) -> ArmReply:
    """Create or change a resource group, which stays where it is; tags that are not sent stay."""
    check_members(request.body, GROUP_MEMBERS, "ResourceGroupDefinition")
    known, name = request.store.find(request.id.text), request.id.name
    if known is None and request.method == "PATCH":
        raise error("ResourceGroupNotFound", name=name)
    if not GROUP_NAME.match(name):
        raise error("InvalidResourceGroup")
    location = request.body.get("location") or (known and known.body["location"])
    if not location:
        raise error("LocationRequired")
    location = region(location)
    if known and known.body["location"] != location:
        old = known.body["location"]
        raise error("InvalidResourceGroupLocation", wanted=location, known=old)
    body: JsonObject = {"location": location, "properties": {"provisioningState": "Succeeded"}}
    tags = request.body.get("tags", known.body.get("tags") if known else None)
    if tags is not None:
        body["tags"] = tags
    path = f"/subscriptions/{request.id.subscription_id}/resourceGroups/{name}"
    group = request.store.add(Resource(known.id if known else path, GROUP_TYPE, body))
    return ArmReply(group.answer(), 200 if known else 201)


def delete_group(request: ArmRequest) -> ArmReply:
    """Remove a group with everything in it."""
    request.store.remove(existing(request, request.id).id)
    return ArmReply()


def list_providers(request: ArmRequest) -> ArmReply:
    """`providers` of a subscription."""
    return listed([_provider_answer(request, each) for each in request.tenant.namespaces.values()])


def provider(request: ArmRequest) -> ArmReply:
    """`providers/NAMESPACE`, which may be registered or unregistered.

    Raises:
        ArmError: 404, there is no such provider.
    """
    tenant, name, action = request.tenant, request.id.text.split("/")[4], request.id.name.lower()
    if name.lower() not in tenant.namespaces:
        raise unknown_type(tenant, name, "")
    if action == "register":
        tenant.registered.add(name.lower())
    if action == "unregister":
        tenant.registered.discard(name.lower())
    return ArmReply(_provider_answer(request, tenant.namespaces[name.lower()]))


def _provider_answer(request: ArmRequest, namespace: str) -> JsonObject:
    is_registered = namespace.lower() in request.tenant.registered
    return {
        "id": f"/subscriptions/{request.id.subscription_id}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered" if is_registered else "NotRegistered",
        "resourceTypes": [
            {
                "resourceType": kind.name.partition("/")[2],
                "locations": ["global", *LOCATIONS.values()],
                "apiVersions": list(kind.versions),
                "capabilities": "SupportsTags, SupportsLocation",
            }
            for kind in request.tenant.types.values()
            if kind.namespace == namespace
        ],
    }


SUBSCRIPTION, GROUP = "/subscriptions/[^/]+", "/subscriptions/[^/]+/resourcegroups/[^/]+"
PROVIDER = f"{SUBSCRIPTION}/providers/[^/]+"
ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/subscriptions", list_subscriptions),
    ("GET", "/tenants", list_tenants),
    ("GET", SUBSCRIPTION, get_subscription),
    ("GET", f"{SUBSCRIPTION}/locations", list_locations),
    ("GET", f"{SUBSCRIPTION}/resources", list_resources),
    ("GET", f"{GROUP}/resources", list_resources),
    ("GET", f"{SUBSCRIPTION}/resourcegroups", list_groups),
    ("PUT", GROUP, put_group),
    ("PATCH", GROUP, put_group),
    ("DELETE", GROUP, delete_group),
    ("GET", f"{SUBSCRIPTION}/providers", list_providers),
    ("GET", PROVIDER, provider),
    ("POST", f"{PROVIDER}/(un)?register", provider),
    ("POST", "/providers/microsoft.resourcegraph/resources", query),
)
"""Paths, in lower case, that Resource Manager answers itself."""


def find_route(request: ArmRequest) -> Answer | None:
    """What answers a request; None if its resource type does."""
    for method, path, answer in ROUTES:
        if method == request.method and re.fullmatch(path, request.id.key):
            return answer
    return None


def filtered(resources: list[Resource], expression: str) -> list[Resource]:
    """Those of the resources that a `$filter` accepts, of the part of OData that is known here.

    Raises:
        ArmError: 400, it has operators or names that are not.
    """
    parts = AND.split(expression) if expression.strip() else []
    terms = [_term(part.strip().strip("()"), expression) for part in parts]
    tags = {name: value for name, _, value in terms if name.startswith("tag")}
    return [
        each
        for each in resources
        if all(_accepts(each, *term) for term in terms) and _has_tag(each, tags)
    ]


def _term(text: str, expression: str) -> tuple[str, str, str]:
    """One comparison: a property's name in lower case, `eq`, `ne` or `in`, and a text."""
    substring = SUBSTRING.match(text if text.endswith(")") else f"{text})")
    comparison = COMPARISON.match(text)
    if substring:
        return "name", "in", substring[1].replace("''", "'")
    if comparison is None:
        raise error("InvalidFilterInQueryString", expression=expression)
    name, operator, value = comparison.groups()
    return name.lower(), operator.lower(), value.replace("''", "'")


def _accepts(resource: Resource, name: str, operator: str, value: str) -> bool:
    """Whether a resource fulfils a comparison, in any case; those of tags belong together."""
    known = {
        "resourcetype": resource.type,
        "resourcegroup": ResourceId(resource.id).group_name,
        "name": resource.name,
        "location": str(resource.body.get("location", "")),
    }
    actual = known.get(name, value).lower()
    if operator == "in":
        return value.lower() in actual
    return name not in known or (actual == value.lower()) == (operator == "eq")


def _has_tag(resource: Resource, wanted: dict[str, str]) -> bool:
    tags: dict[str, str] = resource.body.get("tags") or {}
    value = tags.get(wanted.get("tagname", ""))
    return not wanted or (value is not None and wanted.get("tagvalue", value) == value)


def get_tags(request: ArmRequest) -> ArmReply:
    """`SCOPE/providers/Microsoft.Resources/tags/default`: the tags of any resource."""
    return _tags_answer(request, _tagged(request))


def change_tags(request: ArmRequest) -> ArmReply:
    """Replace the tags; a PATCH merges, replaces or deletes them, by the body's `operation`."""
    owner, sent = _tagged(request), request.properties.get("tags") or {}
    is_put = request.method == "PUT"
    operation = "replace" if is_put else str(request.body.get("operation") or "").lower()
    old: JsonObject = owner.body.get("tags") or {}
    results = {
        "merge": {**old, **sent},
        "replace": dict(sent),
        "delete": {name: value for name, value in old.items() if name not in sent},
    }
    if operation not in results:
        raise error("InvalidTagOperation", operation=operation)
    owner.body["tags"] = results[operation]
    owner.touch()
    return _tags_answer(request, owner)


def delete_tags(request: ArmRequest) -> ArmReply:
    """Remove all tags of the scope."""
    _tagged(request).body["tags"] = {}
    return ArmReply()


def _tagged(request: ArmRequest) -> Resource:
    scope = ResourceId(request.id.scope)
    found = request.store.find(scope.text)
    if found is None:
        raise not_found(scope, scope.type)
    return found


def _tags_answer(request: ArmRequest, owner: Resource) -> ArmReply:
    tags = {"tags": owner.body.get("tags") or {}}
    made = {"id": request.id.text, "name": "default", "type": "Microsoft.Resources/tags"}
    return ArmReply({**made, "properties": tags})


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
