"""Managed identities: user-assigned ones and their federated credentials, and those of resources.

Rules of federated credentials: Entra docs, "Important considerations and restrictions for federated
identity credentials". The service's own words for its refusals are not known.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource, ResourceId
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    Tenant,
    Write,
    not_found,
)

USER_ASSIGNED_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
FEDERATED_CREDENTIALS = f"{USER_ASSIGNED_IDENTITIES}/federatedIdentityCredentials"
SYSTEM_ASSIGNED_IDENTITIES = "Microsoft.ManagedIdentity/identities"
SYSTEM, USER = "SystemAssigned", "UserAssigned"
SYSTEM_PRINCIPAL = "systemPrincipal"
"""Where a site keeps the principal id of its system-assigned identity."""

MAX_CREDENTIALS = 20
CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")
CREDENTIAL_PROPERTIES = ("issuer", "subject", "audiences")


def accept_identity(write: Write) -> JsonObject:
    """The ids are the service's own; they stay as long as the identity exists."""
    tenant, known = write.request.tenant, write.known
    tenant.identity_throttle.take(write.request.id.key)
    properties = {
        "tenantId": tenant.id,
        "principalId": known.get("principalId") or str(uuid.uuid4()),
        "clientId": known.get("clientId") or str(uuid.uuid4()),
    }
    scope = write.sent.get("isolationScope") or known.get("isolationScope")
    if scope:
        properties["isolationScope"] = scope
    return {
        "location": write.body["location"],
        "tags": write.body.get("tags") or {},
        "properties": properties,
    }


def identity_id(request: ArmRequest) -> str:
    """This provider writes `resourcegroups` in lower case."""
    return (
        f"/subscriptions/{request.id.subscription_id}/resourcegroups/{request.id.group_name}"
        f"/providers/{USER_ASSIGNED_IDENTITIES}/{request.id.name}"
    )


def identity_changed(tenant: Tenant, identity: Resource) -> None:
    """Give an identity its service principal, or take it away."""
    if identity.id in tenant.resources:
        ids = identity.properties
        _add_principal(tenant, identity, ids["principalId"], ids["clientId"])
    else:
        tenant.directory.identities.pop(identity.properties["principalId"], None)


def system_identity_changed(tenant: Tenant, owner: Resource) -> None:
    """Give the system-assigned identity of a resource its service principal, or take it away."""
    identity = owner.body.get("identity") or {}
    principal_id = identity.get("principalId") if owner.id in tenant.resources else None
    old = owner.hidden.get(SYSTEM_PRINCIPAL)
    if old and old != principal_id:
        tenant.directory.identities.pop(old, None)
    if principal_id and principal_id != old:
        _add_principal(tenant, owner, principal_id, system_client_id(principal_id))
    owner.hidden[SYSTEM_PRINCIPAL] = principal_id


def _add_principal(tenant: Tenant, resource: Resource, principal_id: str, client_id: str) -> None:
    tenant.directory.add_identity(
        principal_id, client_id, display_name=resource.name, resource_id=resource.id
    )


def system_client_id(principal_id: str) -> str:
    """The client id (GUID) of a system-assigned identity, by its object id."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, principal_id))


def get_system_identity(request: ArmRequest) -> ArmReply:
    """The system-assigned identity of a resource: `SCOPE/.../identities/default`.

    Raises:
        ArmError: 404, there is no such resource, or it has no such identity.
    """
    owner = request.store.find(request.id.scope)
    identity = (owner.body.get("identity") or {}) if owner else {}
    if owner is None or not identity.get("principalId") or request.id.name != "default":
        raise not_found(request.id, SYSTEM_ASSIGNED_IDENTITIES)
    properties = {
        "tenantId": identity["tenantId"],
        "principalId": identity["principalId"],
        "clientId": system_client_id(identity["principalId"]),
    }
    return ArmReply(
        {
            "id": f"{owner.id}/providers/{SYSTEM_ASSIGNED_IDENTITIES}/default",
            "name": "default",
            "type": SYSTEM_ASSIGNED_IDENTITIES,
            "location": owner.body.get("location"),
            "properties": properties,
        }
    )


def assigned(write: Write) -> JsonObject | None:
    """The `identity` of a resource, with the ids that Azure fills in.

    Raises:
        ArmError: an identity does not exist, or is of an unknown kind.
    """
    sent = write.request.body.get("identity")
    old = (write.existing.body.get("identity") if write.existing else None) or {}
    if sent is None:
        return old
    kinds = {each.strip() for each in str(sent.get("type") or "None").split(",")} - {"None"}
    if kinds - {SYSTEM, USER}:
        raise error("InvalidIdentityType", kinds=kinds)
    if not kinds:
        return None
    made: JsonObject = {"type": ", ".join(sorted(kinds))}
    if SYSTEM in kinds:
        made["principalId"] = old.get("principalId") or str(uuid.uuid4())
        made["tenantId"] = write.request.tenant.id
    if USER in kinds:
        made["userAssignedIdentities"] = _user_assigned(write.request, sent, old)
        if not made["userAssignedIdentities"]:
            raise error("UserAssignedIdentitiesMissing")
    return made


def _user_assigned(request: ArmRequest, sent: JsonObject, old: JsonObject) -> dict[str, JsonObject]:
    """The ids of identities by their own ids, whatever case the client has sent."""
    before: Mapping[str, Any] = old.get("userAssignedIdentities") or {}
    keeps = request.method == "PATCH" and not request.tenant.patch_replaces_identities
    names = {each.lower(): each for each in before} if keeps else {}
    for each, value in (sent.get("userAssignedIdentities") or {}).items():
        if value is None:
            names.pop(each.lower(), None)
        else:
            names.setdefault(each.lower(), each)
    made = {}
    for each in names.values():
        identity = request.store.find(each)
        if identity is None:
            raise not_found(ResourceId(each), USER_ASSIGNED_IDENTITIES)
        ids = ("principalId", "clientId")
        made[identity.id] = {name: identity.properties[name] for name in ids}
    return made


def accept_credential(write: Write) -> JsonObject:
    """Issuer, subject and one audience; an issuer has a subject once. Nobody signs in with them."""
    sent, request = write.sent, write.request
    for name in ("issuer", "subject"):
        if not isinstance(sent.get(name), str) or not sent[name]:
            raise error("BadRequest: credential property", name=name)
    audiences = sent.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise error("BadRequest: audience")
    all_credentials = request.store.of_type(FEDERATED_CREDENTIALS, request.id.parent.text)
    others = [each for each in all_credentials if each != write.existing]
    if write.existing is None and not CREDENTIAL_NAME.fullmatch(request.id.name):
        raise error("BadRequest: credential name", name=request.id.name)
    if write.existing is None and len(others) >= MAX_CREDENTIALS:
        raise error("BadRequest: credentials", maximum=MAX_CREDENTIALS)
    made = {name: sent[name] for name in CREDENTIAL_PROPERTIES}
    for each in others:
        if all(each.properties[name] == made[name] for name in ("issuer", "subject")):
            raise error("BadRequest: credential exists", name=each.name)
    return {"properties": made}


def credential_id(request: ArmRequest) -> str:
    """Below the identity, whose id this provider writes in its own way."""
    identity = request.store.find(request.id.parent.text)
    owner = request.id.parent.text if identity is None else identity.id
    return f"{owner}/federatedIdentityCredentials/{request.id.name}"
