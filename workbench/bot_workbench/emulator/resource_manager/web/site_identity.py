"""SiteIdentities: the managed identities of sites, with the ids that Azure fills in."""

import uuid
from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.resource_manager.authorization.access import Access
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import not_found
from bot_workbench.emulator.resource_manager.resources.identities import USER_ASSIGNED_IDENTITIES

SYSTEM, USER = "SystemAssigned", "UserAssigned"
ASSIGN = f"{USER_ASSIGNED_IDENTITIES}/assign/action"


class SiteIdentities:
    """Makes a site's `identity` from what a client sends.

    Attributes:
        patch_replaces: whether a PATCH replaces the map of user-assigned identities. The reference
            does not say; False: it adds to the map, and a null removes from it.
    """

    def __init__(self, store: ResourceStore, access: Access, tenant_id: str) -> None:
        self._store = store
        self._access = access
        self._tenant_id = tenant_id
        self.patch_replaces = False

    def assigned(self, request: ArmRequest, old: JsonObject | None) -> JsonObject | None:
        """The identity after a PUT or PATCH whose body has one; `old` was the one before.

        Raises:
            ArmError: an identity does not exist, or the caller may not assign it.
        """
        sent = request.body.get("identity")
        if sent is None:
            return old
        kinds = {each.strip() for each in str(sent.get("type") or "None").split(",")} - {"None"}
        if kinds - {SYSTEM, USER}:
            raise bad_request("InvalidIdentityType", f"The identity type '{kinds}' is unknown.")
        if not kinds:
            return None
        made: JsonObject = {"type": ", ".join(sorted(kinds))}
        if SYSTEM in kinds:
            known = (old or {}).get("principalId")
            made["principalId"] = known or str(uuid.uuid4())
            made["tenantId"] = self._tenant_id
        if USER in kinds:
            made["userAssignedIdentities"] = self._user_assigned(request, sent, old or {})
            if not made["userAssignedIdentities"]:
                raise bad_request(
                    "UserAssignedIdentitiesMissing",
                    "The identity type 'UserAssigned' needs at least one user-assigned identity.",
                )
        return made

    def _user_assigned(
        self, request: ArmRequest, sent: JsonObject, old: JsonObject
    ) -> dict[str, JsonObject]:
        before: Mapping[str, Any] = old.get("userAssignedIdentities") or {}
        wanted: Mapping[str, Any] = sent.get("userAssignedIdentities") or {}
        keeps = request.method == "PATCH" and not self.patch_replaces
        names = {each.lower(): each for each in before} if keeps else {}
        for each, value in wanted.items():
            if value is None:
                names.pop(each.lower(), None)
            else:
                names.setdefault(each.lower(), each)
        known = {each.lower() for each in before}
        for key, each in names.items():
            if key not in known:
                self._check_assignable(request, each)
        # The keys are the identities' own ids, whatever case the client has sent.
        identities = [self._identity(each) for each in names.values()]
        ids = ("principalId", "clientId")
        return {each.id: {name: each.properties[name] for name in ids} for each in identities}

    def _identity(self, identity_id: str) -> Resource:
        found = self._store.find(identity_id)
        if found is None:
            raise not_found(ResourceId(identity_id), USER_ASSIGNED_IDENTITIES)
        return found

    def _check_assignable(self, request: ArmRequest, identity_id: str) -> None:
        caller = request.caller
        if not caller.object_id or self._access.is_allowed(caller.object_id, ASSIGN, identity_id):
            return
        raise ArmError(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{caller.name}' with object id '{caller.object_id}' has permission to "
            f"perform action 'Microsoft.Web/sites/write' on scope '{request.id.text}'; however, it "
            f"does not have permission to perform action(s) '{ASSIGN}' on the linked scope(s) "
            f"'{identity_id}' (respectively) or the linked scope(s) are invalid.",
        )
