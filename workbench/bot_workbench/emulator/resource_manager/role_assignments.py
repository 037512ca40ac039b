"""Role assignments and role definitions: who has which role at which scope."""

import math
import re
import uuid
from collections.abc import Iterator

from bot_workbench.emulator.resource_manager.access import (
    BUILT_IN,
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    custom_role,
    find_role,
    roles,
)
from bot_workbench.emulator.resource_manager.built_in_roles import OWNER, Role
from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.identities import USER_ASSIGNED_IDENTITIES
from bot_workbench.emulator.resource_manager.resource import (
    SUBSCRIPTION_TYPE,
    JsonObject,
    Resource,
    ResourceId,
    is_guid,
)
from bot_workbench.emulator.resource_manager.resource_type import (
    AND,
    ArmReply,
    ArmRequest,
    Tenant,
    Write,
    listed,
    not_found,
)

IN_VAULT = re.compile(r"^(.*/vaults/[^/]+)/(certificates|keys|secrets)/[^/]+$", re.IGNORECASE)
ROLE_ID = "/providers/microsoft.authorization/roledefinitions/"
ASSIGNMENT_FILTERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<at_scope>)(?P<principal>)",
        r"(?P<at_scope>atScope\(\))(?P<principal>)",
        r"(?P<at_scope>(?:atScope\(\)\s+and\s+)?)assignedTo\('(?P<principal>[^']+)'\)",
        r"(?P<at_scope>)principalId\s+eq\s+'(?P<principal>[^']+)'",
    )
)
"""The filters of a list; Azure does not combine `atScope()` with `principalId`."""

ROLE_FILTER = re.compile(
    r"(?:atScopeAndBelow\(\)|roleName\s+eq\s+'(?P<name>(?:[^']|'')*)'|type\s+eq\s+'(?P<kind>\w+)')?",
    re.IGNORECASE,
)


def principal_kind(tenant: Tenant, principal_id: str) -> str:
    """What a principal is, by its object id (GUID); empty if there is no such object."""
    if principal_id == tenant.directory.user.object_id:
        return "User"
    return "ServicePrincipal" if tenant.directory.service_principal(principal_id) else ""


def _age(tenant: Tenant, principal_id: str) -> float:
    """Seconds since a principal was created: infinite if that is not known, negative if there is
    no such object."""
    for each in tenant.resources.of_type(USER_ASSIGNED_IDENTITIES):
        if each.properties["principalId"] == principal_id:
            return tenant.resources.clock() - each.created
    return math.inf if principal_kind(tenant, principal_id) else -1.0


def accept_assignment(write: Write) -> JsonObject:
    """One principal, one role; both must exist, and the pair only once at a scope."""
    request, sent = write.request, write.request.properties
    principal_id, role_id = sent.get("principalId"), sent.get("roleDefinitionId")
    if not isinstance(principal_id, str) or not isinstance(role_id, str):
        raise error("InvalidRequestContent: role")
    if not is_guid(request.id.name):
        raise error("InvalidRoleAssignmentId", name=request.id.name)
    _check_scope(request, ResourceId(request.id.scope))
    if ROLE_ID not in role_id.lower():
        raise error("BadRequestFormat")
    if find_role(request.store, role_id) is None:
        raise error("RoleDefinitionDoesNotExist: assigned", id=role_id.rpartition("/")[2])
    _check_principal(request.tenant, principal_id, sent.get("principalType"))
    _check_single(write, principal_id, role_id.rpartition("/")[2].lower())
    now = f"{request.tenant.utc():%Y-%m-%dT%H:%M:%S.%f}0Z"  # Azure writes seven digits
    return {
        "properties": {
            "roleDefinitionId": role_id,
            "principalId": principal_id,
            "principalType": principal_kind(request.tenant, principal_id)
            or sent.get("principalType"),
            "scope": request.id.scope,
            "condition": sent.get("condition"),
            "conditionVersion": sent.get("conditionVersion"),
            "createdOn": write.known.get("createdOn", now),
            "updatedOn": now,
            "createdBy": request.caller.object_id,
            "delegatedManagedIdentityResourceId": None,
            "description": sent.get("description"),
        }
    }


def _check_scope(request: ArmRequest, scope: ResourceId) -> None:
    """Refuse a scope that does not exist; what a vault holds is not Resource Manager's."""
    in_vault = IN_VAULT.match(scope.text)
    wanted = ResourceId(in_vault[1]) if in_vault else scope
    if wanted.subscription_id and wanted.type != SUBSCRIPTION_TYPE:
        if wanted.group_id not in request.store:
            raise error("ResourceGroupNotFound", name=wanted.group_name)
        if wanted.text not in request.store:
            raise not_found(wanted, wanted.type)


def _check_principal(tenant: Tenant, principal_id: str, sent: object) -> None:
    """Refuse an unknown principal; with its type, one that is not replicated yet is accepted."""
    kind, short = principal_kind(tenant, principal_id), principal_id.replace("-", "")
    if sent and kind and sent != kind:
        raise error("UnmatchedPrincipalType", principal=short, kind=kind, sent=sent)
    if not sent and _age(tenant, principal_id) < tenant.directory_lag:
        raise error("PrincipalNotFound", principal=short)


def _check_single(write: Write, principal_id: str, role: str) -> None:
    """Refuse another assignment of a role (its GUID), and a change of this one."""
    scope = write.request.id.scope.lower()
    for each in write.request.store.of_type(ROLE_ASSIGNMENTS):
        known = each.properties
        is_same = (
            str(known["scope"]).lower() == scope
            and str(known["principalId"]).lower() == principal_id.lower()
            and str(known["roleDefinitionId"]).rpartition("/")[2].lower() == role
        )
        if is_same and each is not write.existing:
            raise error("RoleAssignmentExists", id=each.name.replace("-", ""))
    if write.existing is not None and (
        write.known["principalId"] != principal_id
        or not str(write.known["roleDefinitionId"]).lower().endswith(role)
    ):
        raise error("RoleAssignmentUpdateNotPermitted")


def assignment_changed(tenant: Tenant, assignment: Resource) -> None:
    """The effect of an assignment starts some time after this."""
    assignment.created = tenant.access.clock()


def delete_assignment(request: ArmRequest) -> ArmReply:
    """Remove an assignment; the response is what it was, or 204 if there was none."""
    found = request.store.find(request.id.text)
    if found is None:
        return ArmReply(status=204)
    request.store.remove(found.id)
    return ArmReply(found.answer())


def get_assignment(request: ArmRequest) -> ArmReply:
    """An assignment by its GUID.

    Raises:
        ArmError: 404 `RoleAssignmentNotFound`.
    """
    found = request.store.find(request.id.text)
    if found is None:
        raise error("RoleAssignmentNotFound", name=request.id.name)
    return ArmReply(found.answer())


def list_assignments(request: ArmRequest) -> ArmReply:
    """Assignments at the scope and above it, and, without `atScope()`, below it."""
    expression = request.query.get("$filter", "")
    matches = (each.fullmatch(expression.strip()) for each in ASSIGNMENT_FILTERS)
    match = next((each for each in matches if each), None)
    if match is None:
        # The text is Azure's, the code is not known.
        raise error("UnsupportedQuery", expression=expression)
    scope, principal, found = request.id.scope.lower(), match["principal"].lower(), []
    for each in (*_of_owners(request), *request.store.of_type(ROLE_ASSIGNMENTS)):
        at = str(each.properties["scope"]).lower()
        is_above = scope == at or scope.startswith(f"{at}/")
        is_below = at.startswith(f"{scope}/") and not match["at_scope"]
        is_own = not principal or str(each.properties["principalId"]).lower() == principal
        if is_own and (is_above or is_below):
            found.append(each.answer())
    return listed(found)


def _of_owners(request: ArmRequest) -> Iterator[Resource]:
    """The assignments of those who are Owner of every subscription."""
    scope = f"/subscriptions/{request.id.subscription_id}"
    role_id = f"{scope}/providers/{ROLE_DEFINITIONS}/{OWNER}"
    for owner in sorted(request.tenant.access.owners):
        properties = {"roleDefinitionId": role_id, "principalId": owner, "scope": scope}
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{owner}")
        assignment_id = f"{scope}/providers/{ROLE_ASSIGNMENTS}/{name}"
        yield Resource(assignment_id, ROLE_ASSIGNMENTS, {"properties": properties})


def accept_role(write: Write) -> JsonObject:
    """A custom role: its name is unique, and it says where it can be assigned."""
    role_id, properties = write.request.id.name, write.sent
    if role_id.lower() in BUILT_IN:
        raise error("RoleDefinitionIsBuiltIn")
    name = str(properties.get("roleName") or "")
    if not name or not properties.get("assignableScopes"):
        raise error("InvalidRoleDefinition")
    for each in roles(write.request.store):
        if each.name.lower() == name.lower() and each.id != role_id:
            raise error("RoleDefinitionWithSameNameExists")
    properties["type"] = "CustomRole"
    return {"properties": properties}


def get_role(request: ArmRequest) -> ArmReply:
    """A role by its GUID, whatever the scope."""
    role = find_role(request.store, request.id.name)
    if role is None:
        raise error("RoleDefinitionDoesNotExist", id=request.id.name)
    return ArmReply(_role_answer(role, request.id.scope))


def list_roles(request: ArmRequest) -> ArmReply:
    """All roles, or those of a name (`roleName eq '...'`) or kind (`type eq 'CustomRole'`)."""
    expression, found = request.query.get("$filter", ""), roles(request.store)
    for term in AND.split(expression):
        match = ROLE_FILTER.fullmatch(term.strip())
        if match is None:
            raise error("UnsupportedQuery: roles", expression=expression)
        name, kind = (text and text.replace("''", "'").lower() for text in match.groups())
        found = [
            each
            for each in found
            if name in (None, each.name.lower()) and kind in (None, each.kind.lower())
        ]
    return listed([_role_answer(each, request.id.scope) for each in found])


def delete_role(request: ArmRequest) -> ArmReply:
    """Remove a custom role, which must not be assigned."""
    role = find_role(request.store, request.id.name)
    if role is None:
        return ArmReply(status=204)
    if role.kind == "BuiltInRole":
        raise error("RoleDefinitionCannotBeDeleted")
    assignments = request.store.of_type(ROLE_ASSIGNMENTS)
    if any(str(each.properties["roleDefinitionId"]).endswith(role.id) for each in assignments):
        raise error("RoleDefinitionHasAssignments")
    for each in request.store.of_type(ROLE_DEFINITIONS):
        if each.name.lower() == role.id.lower():
            request.store.remove(each.id)
    return ArmReply(_role_answer(role, request.id.scope))


def shown_role(resource: Resource) -> JsonObject:
    """A custom role as Azure writes it."""
    return _role_answer(custom_role(resource), ResourceId(resource.id).scope)


def _role_answer(role: Role, scope: str) -> JsonObject:
    subscription = ResourceId(scope).subscription_id
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    return {
        "id": f"{prefix}/providers/{ROLE_DEFINITIONS}/{role.id}",
        "name": role.id,
        "type": ROLE_DEFINITIONS,
        "properties": {
            "roleName": role.name,
            "type": role.kind,
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": list(role.data_actions),
                    "notDataActions": list(role.not_data_actions),
                }
            ],
        },
    }
