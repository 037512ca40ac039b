"""Key vaults as resources; what they hold is behind their own addresses."""

import datetime
import re
from collections.abc import Iterator

from bot_workbench.emulator.resource_manager.errors import ArmError, error
from bot_workbench.emulator.resource_manager.resource import (
    JsonObject,
    Resource,
    ResourceId,
    region,
)
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    Tenant,
    Write,
    availability,
    check_parent,
    existing,
    listed,
    put,
)

VAULTS = "Microsoft.KeyVault/vaults"
POLICY_KINDS = ("add", "replace", "remove")
NAME = re.compile(r"^[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]$")
RETENTION_DAYS = 90
RETENTION_RANGE = range(7, RETENTION_DAYS + 1)
ROLES_BY_DEFAULT = "2026-02-01"
"""The api-version from which a new vault has role-based access control unless the request says
otherwise (Key Vault docs, "Azure RBAC as default access control")."""

LASTING = ("enableRbacAuthorization", "enablePurgeProtection", "softDeleteRetentionInDays")
"""Properties that a PUT without them leaves as they are."""

WRITABLE = (
    *LASTING,
    "accessPolicies",
    "enabledForDeployment",
    "enabledForDiskEncryption",
    "enabledForTemplateDeployment",
    "networkAcls",
    "publicNetworkAccess",
    "sku",
    "tenantId",
)
"""Properties that a client may set and a GET returns; others are ignored."""


def put_vault(request: ArmRequest) -> ArmReply:
    """Create or replace a vault, or recover a deleted one (`createMode`)."""
    if request.properties.get("createMode") != "recover":
        return put(request)
    check_parent(request, request.id)
    deleted = request.tenant.deleted_vaults
    found = deleted.get(request.id.name.lower())
    if found is None:
        raise error("DeletedVaultNotFound", name=request.id.name)
    if found.id.lower() != request.id.key:
        raise error("ConflictError", name=found.name)
    del deleted[found.name.lower()]
    request.store.add(found).touch()
    request.tenant.changed(found)
    return ArmReply(found.answer())


def accept_vault(write: Write) -> JsonObject:
    """A name is unique in all of Azure; purge protection cannot be switched off.

    `enablePurgeProtection` accepts no `false`, not even for a new vault (REST reference).
    """
    request, sent, known = write.request, write.sent, write.known
    if not sent.get("tenantId") or not sent.get("sku"):
        raise error("BadRequest: vault")
    if write.existing is None and (problem := _name_problem(request.tenant, request.id.name)):
        raise problem
    if sent.get("enablePurgeProtection") is False:
        raise error("BadRequest: purge protection")
    days = sent.get("softDeleteRetentionInDays")
    if days is not None and days not in RETENTION_RANGE:
        raise error("BadRequest: retention")
    if days is not None and known.get("softDeleteRetentionInDays", days) != days:
        raise error("BadRequest: retention is set")
    return {
        "location": write.body["location"],
        "tags": write.body.get("tags") or {},
        "properties": {
            "enabledForDeployment": False,
            "softDeleteRetentionInDays": RETENTION_DAYS,
            "enableRbacAuthorization": request.version >= ROLES_BY_DEFAULT,
            "accessPolicies": [],
            "publicNetworkAccess": "Enabled",
            **{name: known[name] for name in LASTING if name in known},
            **{name: sent[name] for name in WRITABLE if sent.get(name) is not None},
            "enableSoftDelete": True,
            "vaultUri": f"https://{request.id.name.lower()}.vault.azure.net/",
        },
    }


def _name_problem(tenant: Tenant, name: str) -> ArmError | None:
    """Why a new vault cannot have a name."""
    if not NAME.match(name):
        return error("VaultNameNotValid")
    if any(each.name.lower() == name.lower() for each in tenant.resources.of_type(VAULTS)):
        return error("VaultAlreadyExists", name=name)
    return error("ConflictError", name=name) if name.lower() in tenant.deleted_vaults else None


def check_vault_name(request: ArmRequest) -> ArmReply:
    """`checkNameAvailability`."""
    return availability(_name_problem(request.tenant, str(request.body.get("name") or "")))


def vault_changed(tenant: Tenant, vault: Resource) -> None:
    """Move a vault that was removed to the deleted ones."""
    if vault.id in tenant.resources:
        return
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=vault.properties["softDeleteRetentionInDays"])
    vault.hidden["deleted"] = {
        "vaultId": vault.id,
        "location": vault.body["location"],
        "tags": vault.body.get("tags"),
        "deletionDate": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "scheduledPurgeDate": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        "purgeProtectionEnabled": vault.properties.get("enablePurgeProtection"),
    }
    tenant.deleted_vaults[vault.name.lower()] = vault


def list_deleted(request: ArmRequest) -> ArmReply:
    """`deletedVaults` of a subscription."""
    return listed([_deleted_answer(each) for each in _deleted_of(request)])


def get_deleted(request: ArmRequest) -> ArmReply:
    """`locations/LOCATION/deletedVaults/NAME`."""
    return ArmReply(_deleted_answer(_deleted_at(request, request.id)))


def purge(request: ArmRequest) -> ArmReply:
    """`locations/LOCATION/deletedVaults/NAME/purge`."""
    found = _deleted_at(request, request.id.parent)
    if found.properties.get("enablePurgeProtection"):
        raise error("MethodNotAllowed: purge", name=found.name)
    del request.tenant.deleted_vaults[found.name.lower()]
    request.tenant.on_purge(found)
    return ArmReply()


def _deleted_of(request: ArmRequest) -> Iterator[Resource]:
    """The deleted vaults of the subscription that a path names."""
    wanted = request.id.subscription_id.lower()
    for each in request.tenant.deleted_vaults.values():
        if ResourceId(each.id).subscription_id.lower() == wanted:
            yield each


def _deleted_at(request: ArmRequest, wanted: ResourceId) -> Resource:
    """The deleted vault of a path with subscription and location.

    Raises:
        ArmError: 404, there is none.
    """
    for each in _deleted_of(request):
        is_here = region(each.body["location"]) == wanted.parent.name.lower()
        if is_here and each.name.lower() == wanted.name.lower():
            return each
    raise error("DeletedVaultNotFound", name=wanted.name)


def _deleted_answer(vault: Resource) -> JsonObject:
    scope = f"/subscriptions/{ResourceId(vault.id).subscription_id}/providers/Microsoft.KeyVault"
    return {
        "id": f"{scope}/locations/{region(vault.body['location'])}/deletedVaults/{vault.name}",
        "name": vault.name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": vault.hidden["deleted"],
    }


def put_access_policies(request: ArmRequest) -> ArmReply:
    """`vaults/NAME/accessPolicies/KIND`: change those of the principals that the request names.

    Raises:
        ArmError: 400, the kind is none of POLICY_KINDS; 404, there is no such vault.
    """
    vault, kind = existing(request, request.id.parent), request.id.name.lower()
    if kind not in POLICY_KINDS:
        raise error("BadRequest: access policy", kind=request.id.name)
    sent = request.properties.get("accessPolicies") or []
    named = {str(each.get("objectId")).lower() for each in sent}
    kept = [
        each
        for each in vault.properties["accessPolicies"]
        if str(each.get("objectId")).lower() not in named
    ]
    policies = kept if kind == "remove" else [*kept, *sent]
    vault.properties["accessPolicies"] = policies
    request.tenant.changed(vault)
    answer = {"id": request.id.text, "name": request.id.name, "type": f"{VAULTS}/accessPolicies"}
    return ArmReply({**answer, "properties": {"accessPolicies": policies}})
