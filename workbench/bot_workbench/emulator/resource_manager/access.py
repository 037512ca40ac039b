"""Access: what a principal may do at a scope, by its role assignments there or above."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bot_workbench.emulator.resource_manager.built_in_roles import OWNER, ROLES, Role
from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.resource import (
    GROUP_TYPE,
    JsonObject,
    Resource,
    ResourceStore,
)

ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
ROLE_DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Web/serverFarms/join/action"
ACTIONS_ON_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
"""The type of resource groups in the actions of roles."""

BUILT_IN = {role.id: role for role in ROLES}


@dataclass(frozen=True)
class ArmCaller:
    """Who calls: the claims of the token that Resource Manager uses.

    Attributes:
        object_id: GUID of the user, service principal or managed identity.
        name: what messages call it: the app id (GUID), or the user's principal name.
    """

    object_id: str
    name: str


def custom_role(resource: Resource) -> Role:
    """The role that a role definition describes."""
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


def roles(store: ResourceStore) -> list[Role]:
    """All roles, built-in ones and those that somebody has created."""
    return [*ROLES, *map(custom_role, store.of_type(ROLE_DEFINITIONS))]


def find_role(store: ResourceStore, role_id: str) -> Role | None:
    """The role of a GUID, or of the id of a definition; None if there is none."""
    wanted = role_id.rpartition("/")[2].lower()
    if wanted in BUILT_IN:
        return BUILT_IN[wanted]
    return next((role for role in roles(store) if role.id.lower() == wanted), None)


def action_of(type_name: str, right: str) -> str:
    """The action that a role must allow.

    Args:
        type_name: of the resource.
        right: `read`, `write`, `delete`, or an action such as `restart/action`.
    """
    return f"{ACTIONS_ON_GROUPS if type_name == GROUP_TYPE else type_name}/{right}"


def linked(body: JsonObject) -> list[tuple[str, str]]:
    """The actions, each with its scope, that a write needs on other resources that its body names:
    identities that it assigns, and the plan that a site joins.

    Microsoft reference: "Manage user-assigned managed identities" (the role Managed Identity
    Operator over the identity), "Azure resource provider operations", Microsoft.Web.
    """
    identity = body.get("identity") or {}
    assigned = identity.get("userAssignedIdentities") or {}
    found = [(ASSIGN, each) for each, kept in assigned.items() if kept is not None]
    plan = (body.get("properties") or {}).get("serverFarmId")
    return [*found, (JOIN, str(plan))] if plan else found


@dataclass
class Access:
    """Evaluates role assignments.

    Attributes:
        owners: object ids (GUID) that are Owner of every subscription.
        lag: seconds from a role assignment to its effect; Azure takes up to ten minutes.
        clock: seconds, monotonic; a test may replace it.
    """

    store: ResourceStore
    owners: set[str] = field(default_factory=set)
    lag: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def assigned(self, principal_id: str, scope: str) -> list[Role]:
        """The roles of a principal (object id) at a scope, those of scopes above it included."""
        granted = [find_role(self.store, OWNER)] if principal_id in self.owners else []
        effective = self.clock() - self.lag
        wanted = scope.lower().rstrip("/")
        for each in self.store.of_type(ROLE_ASSIGNMENTS):
            properties = each.properties
            at = str(properties["scope"]).lower().rstrip("/")
            is_above = wanted == at or wanted.startswith(f"{at}/")
            is_own = str(properties["principalId"]).lower() == principal_id.lower()
            if is_own and is_above and each.created <= effective:
                granted.append(find_role(self.store, str(properties["roleDefinitionId"])))
        return [role for role in granted if role is not None]

    def is_data_allowed(self, principal_id: str, action: str, scope: str) -> bool:
        """Whether a principal may perform a data action.

        Args:
            principal_id: GUID, the object id.
            action: such as `Microsoft.KeyVault/vaults/keys/sign/action`.
            scope: id of a resource, or of an object in a vault (`.../vaults/NAME/keys/KEY`).
        """
        return any(
            _any_matches(action, role.data_actions)
            and not _any_matches(action, role.not_data_actions)
            for role in self.assigned(principal_id, scope)
        )

    def is_allowed(self, principal_id: str, action: str, scope: str) -> bool:
        """Whether the principal may perform an action on resources, such as `.../sites/write`."""
        return any(
            _any_matches(action, role.actions) and not _any_matches(action, role.not_actions)
            for role in self.assigned(principal_id, scope)
        )

    def check(
        self,
        caller: ArmCaller,
        action: str,
        scope: str,
        others: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Pass when the caller may perform an action.

        Args:
            caller: who calls.
            action: such as `.../sites/write`.
            scope: of the action.
            others: actions, with their scopes, on resources that a write names.

        Raises:
            ArmError: 403 `AuthorizationFailed` or `LinkedAuthorizationFailed`.
        """
        who, name = caller.object_id, caller.name
        if not self.is_allowed(who, action, scope):
            raise error(
                "AuthorizationFailed", name=name, object_id=who, action=action, scope=scope or "/"
            )
        for linked_action, linked_scope in others:
            if not self.is_allowed(who, linked_action, linked_scope):
                raise error(
                    "LinkedAuthorizationFailed",
                    name=name,
                    object_id=who,
                    action=action,
                    scope=scope,
                    linked_action=linked_action,
                    linked_scope=linked_scope,
                )

    def reaches(self, principal_id: str, scope: str) -> bool:
        """Whether the principal has any role at a scope or below it."""
        if self.assigned(principal_id, scope):
            return True
        return any(
            str(each.properties["principalId"]).lower() == principal_id.lower()
            for each in self.store.of_type(ROLE_ASSIGNMENTS, scope)
        )


def _any_matches(action: str, patterns: tuple[str, ...]) -> bool:
    """Whether a pattern matches an action; `/*/` also matches `/`: by `vaults/*/read` Key Vault
    Reader reads vaults, and by `userAssignedIdentities/*/read` Managed Identity Operator reads
    identities (Microsoft reference: "Azure built-in roles", their descriptions)."""
    wanted = action.lower()
    return any(
        fnmatchcase(wanted, form)
        for each in map(str.lower, patterns)
        for form in {each, each.replace("/*/", "/")}
    )
