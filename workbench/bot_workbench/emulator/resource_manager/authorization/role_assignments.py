"""RoleAssignments: who has which role at which scope."""

import datetime
import re
import time
import uuid
from collections.abc import Callable

from bot_workbench.emulator.resource_manager.authorization.access import ROLE_ASSIGNMENTS
from bot_workbench.emulator.resource_manager.authorization.built_in_roles import OWNER
from bot_workbench.emulator.resource_manager.authorization.principals import Principals
from bot_workbench.emulator.resource_manager.authorization.role_definitions import (
    ROLE_DEFINITIONS,
    RoleDefinitions,
)
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request, conflict
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.guid import is_guid
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import SUBSCRIPTION_TYPE, ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import (
    ResourceType,
    group_not_found,
    not_found,
)

IN_VAULT = re.compile(r"^(.*/vaults/[^/]+)/(certificates|keys|secrets)/[^/]+$", re.IGNORECASE)
ROLE_ID = "/providers/microsoft.authorization/roledefinitions/"
FILTERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<at_scope>)(?P<principal>)",
        r"(?P<at_scope>atScope\(\))(?P<principal>)",
        r"(?P<at_scope>(?:atScope\(\)\s+and\s+)?)assignedTo\('(?P<principal>[^']+)'\)",
        r"(?P<at_scope>)principalId\s+eq\s+'(?P<principal>[^']+)'",
    )
)
"""The filters of a list; Azure does not combine `atScope()` with `principalId`."""


class RoleAssignments(ResourceType):
    """Creates, lists and deletes role assignments at any scope.

    Args:
        store: of all resources.
        roles: every role.
        owners: object ids (GUID) that are Owner of every subscription.
        principals: who can have a role.

    Attributes:
        directory_lag: seconds until a new principal is found without `principalType`.
        clock: seconds, monotonic; a test may replace it.
        utc: the date and time, for `createdOn` and `updatedOn`; a test may replace it.
    """

    tracked = False
    state = ""

    def __init__(
        self,
        store: ResourceStore,
        roles: RoleDefinitions,
        owners: set[str],
        principals: Principals,
    ) -> None:
        super().__init__(ROLE_ASSIGNMENTS, store)
        self._roles = roles
        self._owners = owners
        self._principals = principals
        self.directory_lag = 0.0
        self.clock: Callable[[], float] = time.monotonic
        self.utc: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """One principal, one role; both must exist, and the pair only once at a scope."""
        sent = request.properties
        principal_id, role_id = sent.get("principalId"), sent.get("roleDefinitionId")
        if not isinstance(principal_id, str) or not isinstance(role_id, str):
            raise bad_request(
                "InvalidRequestContent",
                "The request content is not valid and could not be deserialized: "
                "'principalId' and 'roleDefinitionId' are required.",
            )
        if not is_guid(request.id.name):
            raise bad_request(
                "InvalidRoleAssignmentId",
                f"The role assignment ID '{request.id.name}' is not valid. The role assignment "
                "ID must be a GUID.",
            )
        self._check_scope(ResourceId(request.id.scope))
        self._check_role(role_id)
        self._check_principal(principal_id, sent.get("principalType"))
        self._check_single(request.id, principal_id, role_id, existing)
        now = f"{self.utc():%Y-%m-%dT%H:%M:%S.%f}0Z"  # Azure writes seven digits
        return {
            "properties": {
                "roleDefinitionId": role_id,
                "principalId": principal_id,
                "principalType": self._principals.kind(principal_id) or sent.get("principalType"),
                "scope": request.id.scope,
                "condition": sent.get("condition"),
                "conditionVersion": sent.get("conditionVersion"),
                "createdOn": now if existing is None else existing.properties["createdOn"],
                "updatedOn": now,
                "createdBy": request.caller.object_id,
                "delegatedManagedIdentityResourceId": None,
                "description": sent.get("description"),
            }
        }

    def written(self, resource: Resource, status: int) -> ArmReply:
        """Always 201, as the reference has it."""
        return ArmReply(self.answer(resource), 201)

    def changed(self, resource: Resource) -> None:
        """Its effect starts some time after this."""
        resource.created = self.clock()

    def delete(self, request: ArmRequest) -> ArmReply:
        """Remove an assignment; the response is what it was, or 204 if there was none."""
        found = self.store.find(request.id.text)
        if found is None:
            return ArmReply(status=204)
        self.store.remove(found.id)
        return ArmReply(self.answer(found))

    def get(self, request: ArmRequest) -> ArmReply:
        """An assignment by its GUID.

        Raises:
            ArmError: 404 `RoleAssignmentNotFound`.
        """
        found = self.store.find(request.id.text)
        if found is None:
            raise ArmError(
                404,
                "RoleAssignmentNotFound",
                f"The role assignment '{request.id.name}' is not found.",
            )
        return ArmReply(self.answer(found))

    def list_all(self, request: ArmRequest) -> ArmReply:
        """Assignments at the scope and above it, and, without `atScope()`, below it."""
        at_scope, principal = _filter(request.query.get("$filter", ""))
        scope = request.id.scope.lower()
        found = []
        for each in (*self._of_owners(request.id), *self.store.of_type(ROLE_ASSIGNMENTS)):
            at = str(each.properties["scope"]).lower()
            is_above = scope == at or scope.startswith(f"{at}/")
            is_below = at.startswith(f"{scope}/")
            is_wanted = is_above or (is_below and not at_scope)
            if principal and str(each.properties["principalId"]).lower() != principal:
                is_wanted = False
            if is_wanted:
                found.append(self.answer(each))
        return listed(found)

    def _of_owners(self, resource_id: ResourceId) -> list[Resource]:
        """The assignments of those who are Owner of every subscription."""
        scope = f"/subscriptions/{resource_id.subscription_id}"
        role_id = f"{scope}/providers/{ROLE_DEFINITIONS}/{OWNER}"
        made = []
        for owner in sorted(self._owners):
            properties = {"roleDefinitionId": role_id, "principalId": owner, "scope": scope}
            name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{owner}")
            assignment_id = f"{scope}/providers/{ROLE_ASSIGNMENTS}/{name}"
            made.append(Resource(assignment_id, ROLE_ASSIGNMENTS, {"properties": properties}))
        return made

    def _check_scope(self, scope: ResourceId) -> None:
        """Refuse a scope that does not exist; what a vault holds is not Resource Manager's."""
        in_vault = IN_VAULT.match(scope.text)
        wanted = ResourceId(in_vault[1]) if in_vault else scope
        if wanted.subscription_id and wanted.type != SUBSCRIPTION_TYPE:
            if wanted.group_id not in self.store:
                raise group_not_found(wanted.group_name)
            if wanted.text not in self.store:
                raise not_found(wanted, wanted.type)

    def _check_role(self, role_id: str) -> None:
        if ROLE_ID not in role_id.lower():
            raise bad_request("BadRequestFormat", "The request was incorrectly formatted.")
        if self._roles.role(role_id.rpartition("/")[2]) is None:
            raise bad_request(
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{role_id.rpartition('/')[2]}' does not "
                "exist.",
            )

    def _check_principal(self, principal_id: str, principal_type: object) -> None:
        kind = self._principals.kind(principal_id)
        if principal_type and kind and principal_type != kind:
            # The spelling is Azure's.
            raise bad_request(
                "UnmatchedPrincipalType",
                f"The PrincipalId '{principal_id.replace('-', '')}' has type '{kind}' , which is "
                f"different from specified PrinciaplType '{principal_type}'.",
            )
        # With its type, a principal that is not replicated yet is accepted.
        if principal_type:
            return
        age = self._principals.age(principal_id)
        if age is None or age < self.directory_lag:
            raise bad_request(
                "PrincipalNotFound",
                f"Principal {principal_id.replace('-', '')} does not exist in the directory. "
                "Check that you have the correct principal ID. If you are creating this principal "
                "and then immediately assigning a role, this error might be related to a "
                "replication delay. In this case, set the role assignment principalType property "
                "to a value, such as ServicePrincipal, User, or Group. See "
                "https://aka.ms/docs-principaltype",
            )

    def _check_single(
        self, resource_id: ResourceId, principal_id: str, role_id: str, existing: Resource | None
    ) -> None:
        role, scope = role_id.rpartition("/")[2].lower(), resource_id.scope.lower()
        for each in self.store.of_type(ROLE_ASSIGNMENTS):
            known = each.properties
            is_same = (
                str(known["scope"]).lower() == scope
                and str(known["principalId"]).lower() == principal_id.lower()
                and str(known["roleDefinitionId"]).rpartition("/")[2].lower() == role
            )
            if is_same and each is not existing:
                raise conflict(
                    "RoleAssignmentExists",
                    "The role assignment already exists. The ID of the existing role assignment "
                    f"is {each.name.replace('-', '')}.",
                )
        if existing is not None:
            known = existing.properties
            if known["principalId"] != principal_id or not str(
                known["roleDefinitionId"]
            ).lower().endswith(role):
                raise bad_request(
                    "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be "
                    "updated.",
                )


def _filter(expression: str) -> tuple[bool, str]:
    """Whether a filter leaves out what is below the scope, and the principal's id in lower case.

    Raises:
        ArmError: 400, the filter is none of FILTERS.
    """
    for pattern in FILTERS:
        match = pattern.fullmatch(expression.strip())
        if match:
            return bool(match["at_scope"]), match["principal"].lower()
    # The text is Azure's, the code is not known.
    raise bad_request(
        "UnsupportedQuery",
        f"The filter '{expression}' is not supported. Supported filters are either 'atScope()' or "
        "'principalId eq '{value}' or assignedTo('{value}')'.",
    )
