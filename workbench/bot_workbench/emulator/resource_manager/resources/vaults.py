"""Vaults: key vaults as resources; what they hold is behind their own addresses."""

import datetime
import re
from collections.abc import Iterator

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request, conflict
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import Changed, ResourceType, region

VAULTS = "Microsoft.KeyVault/vaults"
ACCESS_POLICIES = f"{VAULTS}/accessPolicies"
POLICY_KINDS = ("add", "replace", "remove")
DELETED_VAULTS = "Microsoft.KeyVault/deletedVaults"
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


class Vaults(ResourceType):
    """Creates vaults, and keeps deleted ones until they are purged.

    Attributes:
        deleted: deleted vaults by name in lower case; the names stay reserved.
        on_purge: called after a vault was purged, with everything in it.
    """

    created_status = 200
    state = ""

    def __init__(self, store: ResourceStore, changed: Changed) -> None:
        super().__init__(VAULTS, store)
        self._changed = changed
        self.deleted: dict[str, Resource] = {}
        self.on_purge: Changed = lambda _: None

    def changed(self, resource: Resource) -> None:
        """Let the vault's own server know."""
        self._changed(resource)

    def put(self, request: ArmRequest) -> ArmReply:
        """Create or replace a vault, or recover a deleted one (`createMode`)."""
        if request.properties.get("createMode") == "recover":
            return self._recover(request)
        return super().put(request)

    def _recover(self, request: ArmRequest) -> ArmReply:
        self.check_parent(request.id)
        found = self._deleted(request.id.name)
        if found.id.lower() != request.id.key:
            raise _deleted_name(found.name)
        del self.deleted[found.name.lower()]
        self.store.add(found).touch()
        self.changed(found)
        return self.written(found, 200)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """A name is unique in all of Azure; purge protection cannot be switched off."""
        sent = body.get("properties") or {}
        if not sent.get("tenantId") or not sent.get("sku"):
            raise bad_request(
                "BadRequest", "The parameters 'tenantId' and 'sku' of a vault are required."
            )
        known = {} if existing is None else existing.properties
        if existing is None:
            self._check_name(request.id.name)
        _check_protection(known, sent)
        version = request.query.get("api-version", "")
        properties = {
            "enabledForDeployment": False,
            "softDeleteRetentionInDays": RETENTION_DAYS,
            "enableRbacAuthorization": version >= ROLES_BY_DEFAULT,
            "accessPolicies": [],
            "publicNetworkAccess": "Enabled",
            **{name: known[name] for name in LASTING if name in known},
            **{name: sent[name] for name in WRITABLE if sent.get(name) is not None},
            "enableSoftDelete": True,
            "vaultUri": f"https://{request.id.name.lower()}.vault.azure.net/",
            "provisioningState": "Succeeded",
        }
        return {
            "location": body["location"],
            "tags": body.get("tags") or {},
            "properties": properties,
        }

    def _check_name(self, name: str) -> None:
        if not NAME.match(name):
            raise bad_request(
                "VaultNameNotValid",
                "The vault name is invalid. A vault's name must be between 3-24 alphanumeric "
                "characters. The name must begin with a letter, end with a letter or digit, and "
                "not contain consecutive hyphens.",
            )
        if any(each.name.lower() == name.lower() for each in self.store.of_type(VAULTS)):
            raise conflict(
                "VaultAlreadyExists",
                f"The vault name '{name}' is already in use. Vault names are globally unique so "
                "it is possible that the name is already taken.",
            )
        if name.lower() in self.deleted:
            raise _deleted_name(name)

    def removed(self, resource: Resource) -> None:
        """Move a vault to the deleted ones."""
        now = datetime.datetime.now(datetime.UTC)
        until = now + datetime.timedelta(days=resource.properties["softDeleteRetentionInDays"])
        resource.hidden["deleted"] = {
            "vaultId": resource.id,
            "location": resource.body["location"],
            "tags": resource.body.get("tags"),
            "deletionDate": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "scheduledPurgeDate": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "purgeProtectionEnabled": resource.properties.get("enablePurgeProtection"),
        }
        self.deleted[resource.name.lower()] = resource
        super().removed(resource)

    def list_deleted(self, request: ArmRequest) -> ArmReply:
        """`deletedVaults` of a subscription."""
        return listed([_deleted_answer(each) for each in self._deleted_of(request.id)])

    def get_deleted(self, request: ArmRequest) -> ArmReply:
        """`locations/LOCATION/deletedVaults/NAME`."""
        return ArmReply(_deleted_answer(self._deleted_at(request.id)))

    def purge(self, request: ArmRequest) -> ArmReply:
        """`locations/LOCATION/deletedVaults/NAME/purge`."""
        found = self._deleted_at(request.id.parent)
        if found.properties.get("enablePurgeProtection"):
            raise bad_request(
                "MethodNotAllowed",
                f"Operation 'DeletedVaultPurge' is not allowed because purge protection is enabled "
                f"on the vault '{found.name}'.",
            )
        del self.deleted[found.name.lower()]
        self.on_purge(found)
        return ArmReply()

    def check_name(self, request: ArmRequest) -> ArmReply:
        """`checkNameAvailability`."""
        name = str(request.body.get("name") or "")
        try:
            self._check_name(name)
        except ArmError as error:
            reason = "AccountNameInvalid" if error.status == 400 else "AlreadyExists"
            refused = {"nameAvailable": False, "reason": reason, "message": str(error)}
            return ArmReply(refused)
        return ArmReply({"nameAvailable": True})

    def _deleted(self, name: str) -> Resource:
        found = self.deleted.get(name.lower())
        if found is None:
            raise _not_deleted(name)
        return found

    def _deleted_of(self, resource_id: ResourceId) -> Iterator[Resource]:
        """The deleted vaults of the subscription that a path names."""
        wanted = resource_id.subscription_id.lower()
        for each in self.deleted.values():
            if ResourceId(each.id).subscription_id.lower() == wanted:
                yield each

    def _deleted_at(self, resource_id: ResourceId) -> Resource:
        """The deleted vault of a path with subscription and location.

        Raises:
            ArmError: 404, there is none.
        """
        location = resource_id.parent.name.lower()
        for each in self._deleted_of(resource_id):
            if (
                each.name.lower() == resource_id.name.lower()
                and region(each.body["location"]) == location
            ):
                return each
        raise _not_deleted(resource_id.name)


class AccessPolicies(ResourceType):
    """`vaults/NAME/accessPolicies/KIND`: adds, replaces or removes access policies of a vault."""

    def __init__(self, store: ResourceStore, vaults: Vaults) -> None:
        super().__init__(ACCESS_POLICIES, store)
        self._vaults = vaults

    def put(self, request: ArmRequest) -> ArmReply:
        """Change those of the principals that the request names: 200.

        Raises:
            ArmError: 400, the kind is none of POLICY_KINDS; 404, there is no such vault.
        """
        vault, kind = self._vaults.existing(request.id.parent), request.id.name.lower()
        if kind not in POLICY_KINDS:
            raise bad_request("BadRequest", f"The operation kind '{request.id.name}' is unknown.")
        sent = request.properties.get("accessPolicies") or []
        named = {str(each.get("objectId")).lower() for each in sent}
        kept = [
            each
            for each in vault.properties["accessPolicies"]
            if str(each.get("objectId")).lower() not in named
        ]
        vault.properties["accessPolicies"] = kept if kind == "remove" else [*kept, *sent]
        self._vaults.changed(vault)
        answer = {"id": request.id.text, "name": request.id.name, "type": self.name}
        policies = {"accessPolicies": vault.properties["accessPolicies"]}
        return ArmReply({**answer, "properties": policies})


def _check_protection(known: JsonObject, sent: JsonObject) -> None:
    """Refuse to switch purge protection off, or to change how long deleted vaults are kept.

    `enablePurgeProtection` accepts no `false`, not even for a new vault (REST reference).
    """
    if sent.get("enablePurgeProtection") is False:
        raise bad_request(
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge '
            "protection for a vault is an irreversible action.",
        )
    days = sent.get("softDeleteRetentionInDays")
    if days is not None and days not in RETENTION_RANGE:
        # The service's own words for this are not known.
        raise bad_request(
            "BadRequest", 'The property "softDeleteRetentionInDays" must be from 7 to 90.'
        )
    if days is not None and known.get("softDeleteRetentionInDays", days) != days:
        raise bad_request(
            "BadRequest",
            'The property "softDeleteRetentionInDays" has been set already and it can\'t be '
            "modified.",
        )


def _deleted_name(name: str) -> ArmError:
    return conflict(
        "ConflictError",
        f"A vault with the same name already exists in deleted state. You need to either recover "
        f"or purge existing key vault '{name}'. Follow this link "
        "https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
    )


def _not_deleted(name: str) -> ArmError:
    return ArmError(
        404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist."
    )


def _deleted_answer(vault: Resource) -> JsonObject:
    scope = f"/subscriptions/{ResourceId(vault.id).subscription_id}/providers/Microsoft.KeyVault"
    return {
        "id": f"{scope}/locations/{region(vault.body['location'])}/deletedVaults/{vault.name}",
        "name": vault.name,
        "type": DELETED_VAULTS,
        "properties": vault.hidden["deleted"],
    }
