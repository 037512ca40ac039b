"""Access: what a principal may do at a scope, by its role assignments there or above."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bot_workbench.emulator.resource_manager.authorization.built_in_roles import OWNER, Role
from bot_workbench.emulator.resource_manager.authorization.role_definitions import RoleDefinitions
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError
from bot_workbench.emulator.resource_manager.core.arm_request import ArmCaller
from bot_workbench.emulator.resource_manager.core.resource import JsonObject, ResourceStore
from bot_workbench.emulator.resource_manager.core.resource_id import GROUP_TYPE

ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Web/serverFarms/join/action"
ACTIONS_ON_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
"""The type of resource groups in the actions of roles."""


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
    roles: RoleDefinitions
    owners: set[str] = field(default_factory=set)
    lag: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def assigned(self, principal_id: str, scope: str) -> list[Role]:
        """The roles of a principal (object id) at a scope, those of scopes above it included."""
        granted = [self.roles.role(OWNER)] if principal_id in self.owners else []
        effective = self.clock() - self.lag
        wanted = scope.lower().rstrip("/")
        for each in self.store.of_type(ROLE_ASSIGNMENTS):
            properties = each.properties
            at = str(properties["scope"]).lower().rstrip("/")
            is_above = wanted == at or wanted.startswith(f"{at}/")
            is_own = str(properties["principalId"]).lower() == principal_id.lower()
            if is_own and is_above and each.created <= effective:
                role_id = str(properties["roleDefinitionId"]).rpartition("/")[2]
                granted.append(self.roles.role(role_id))
        return [role for role in granted if role is not None]

    def is_data_allowed(self, principal_id: str, action: str, scope: str) -> bool:
        """Whether the principal may perform a data action, such as `.../keys/sign/action`."""
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

    def check(self, caller: ArmCaller, action: str, scope: str) -> None:
        """Pass when the caller may perform the action.

        Raises:
            ArmError: 403 `AuthorizationFailed`.
        """
        if self.is_allowed(caller.object_id, action, scope):
            return
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{caller.name}' with object id '{caller.object_id}' does not have "
            f"authorization to perform action '{action}' over scope '{scope or '/'}' or the scope "
            "is invalid. If access was recently granted, please refresh your credentials.",
        )

    def check_linked(
        self, caller: ArmCaller, own: tuple[str, str], others: Iterable[tuple[str, str]]
    ) -> None:
        """Pass when the caller may perform actions on resources that a write names.

        Args:
            caller: who writes.
            own: the action and the scope of the write itself.
            others: actions and their scopes.

        Raises:
            ArmError: 403 `LinkedAuthorizationFailed`.
        """
        for action, scope in others:
            if not self.is_allowed(caller.object_id, action, scope):
                raise ArmError(
                    403,
                    "LinkedAuthorizationFailed",
                    f"The client '{caller.name}' with object id '{caller.object_id}' has"
                    f" permission to perform action '{own[0]}' on scope '{own[1]}'; however, it"
                    f" does not have permission to perform action(s) '{action}' on the linked"
                    f" scope(s) '{scope}' (respectively) or the linked scope(s) are invalid.",
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
