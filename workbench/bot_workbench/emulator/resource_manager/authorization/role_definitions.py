"""RoleDefinitions: the built-in roles, and custom ones that somebody creates."""

import re

from bot_workbench.emulator.resource_manager.authorization.built_in_roles import ROLES, Role
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request, conflict
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType
from bot_workbench.emulator.resource_manager.tenancy.filter import AND

ROLE_DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
NAMED = re.compile(r"roleName\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
FILTER = re.compile(rf"|atScopeAndBelow\(\)|{NAMED.pattern}|type\s+eq\s+'\w+'", re.IGNORECASE)
KIND = re.compile(r"type\s+eq\s+'(\w+)'", re.IGNORECASE)


class RoleDefinitions(ResourceType):
    """Lists, reads, creates and deletes role definitions at any scope."""

    tracked = False
    state = ""

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(ROLE_DEFINITIONS, store)
        self._built_in = {role.id: role for role in ROLES}

    def role(self, role_id: str) -> Role | None:
        """The role of a GUID, built-in or custom; None if there is none."""
        built_in = self._built_in.get(role_id.lower())
        if built_in is not None:
            return built_in
        custom = (each for each in self._custom() if each.name.lower() == role_id.lower())
        return next((_role(each) for each in custom), None)

    def get(self, request: ArmRequest) -> ArmReply:
        """A role by its GUID, whatever the scope."""
        role = self.role(request.id.name)
        if role is None:
            raise _unknown(request.id)
        return ArmReply(_answer(role, request.id.scope))

    def list_all(self, request: ArmRequest) -> ArmReply:
        """All roles, or those of a name (`roleName eq '...'`) or kind (`type eq 'CustomRole'`)."""
        expression = request.query.get("$filter", "")
        name, kind = NAMED.search(expression), KIND.search(expression)
        if not all(FILTER.fullmatch(part.strip()) for part in AND.split(expression)):
            # Azure's own words for this are not known.
            raise bad_request("UnsupportedQuery", f"The filter '{expression}' is not supported.")
        roles = [*self._built_in.values(), *(_role(each) for each in self._custom())]
        if name:
            wanted = name[1].replace("''", "'").lower()
            roles = [each for each in roles if each.name.lower() == wanted]
        if kind:
            roles = [each for each in roles if each.kind.lower() == kind[1].lower()]
        return listed([_answer(each, request.id.scope) for each in roles])

    def delete(self, request: ArmRequest) -> ArmReply:
        """Remove a custom role, which must not be assigned."""
        role = self.role(request.id.name)
        if role is None:
            return ArmReply(status=204)
        if role.kind == "BuiltInRole":
            raise bad_request(
                "RoleDefinitionCannotBeDeleted", "Built-in role definitions cannot be deleted."
            )
        assignments = self.store.of_type("Microsoft.Authorization/roleAssignments")
        if any(str(each.properties["roleDefinitionId"]).endswith(role.id) for each in assignments):
            raise bad_request(
                "RoleDefinitionHasAssignments",
                "There are existing role assignments referencing role (code: "
                "RoleDefinitionHasAssignments).",
            )
        for each in self._custom():
            if each.name.lower() == role.id.lower():
                self.store.remove(each.id)
        return ArmReply(_answer(role, request.id.scope))

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """A custom role: its name is unique, and it says where it can be assigned."""
        if request.id.name.lower() in self._built_in:
            raise bad_request("RoleDefinitionIsBuiltIn", "Built-in roles cannot be changed.")
        properties = body.get("properties") or {}
        name = str(properties.get("roleName") or "")
        if not name or not properties.get("assignableScopes"):
            raise bad_request(
                "InvalidRoleDefinition", "The role needs a roleName and assignableScopes."
            )
        others = [*self._built_in.values(), *(_role(each) for each in self._custom())]
        if any(each.name.lower() == name.lower() and each.id != request.id.name for each in others):
            raise conflict(
                "RoleDefinitionWithSameNameExists",
                "A custom role with the same name already exists in this directory. Use a "
                "different name.",
            )
        properties["type"] = "CustomRole"
        return {"properties": properties}

    def answer(self, resource: Resource) -> JsonObject:
        """A role as Azure writes it."""
        return _answer(_role(resource), ResourceId(resource.id).scope)

    def _custom(self) -> list[Resource]:
        return self.store.of_type(ROLE_DEFINITIONS)


def _role(resource: Resource) -> Role:
    properties = resource.properties
    permissions = (properties.get("permissions") or [{}])[0]
    return Role(
        id=resource.name,
        name=str(properties["roleName"]),
        actions=tuple(permissions.get("actions") or ()),
        not_actions=tuple(permissions.get("notActions") or ()),
        data_actions=tuple(permissions.get("dataActions") or ()),
        not_data_actions=tuple(permissions.get("notDataActions") or ()),
        kind="CustomRole",
        description=str(properties.get("description") or ""),
        assignable_scopes=tuple(properties["assignableScopes"]),
    )


def _answer(role: Role, scope: str) -> JsonObject:
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


def _unknown(resource_id: ResourceId) -> ArmError:
    return ArmError(
        404,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{resource_id.name}' does not exist.",
    )
