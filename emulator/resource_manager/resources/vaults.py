"""Vaults: key vaults as resources; what they hold is behind their own addresses."""

import datetime
import re

from emulator.resource_manager.core.arm_error import ArmError, bad_request, conflict
from emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from emulator.resource_manager.core.resource import JsonObject, Resource, ResourceStore
from emulator.resource_manager.core.resource_type import Changed, ResourceType

VAULTS = "Microsoft.KeyVault/vaults"
DELETED_VAULTS = "Microsoft.KeyVault/deletedVaults"
NAME = re.compile(r"^[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]$")
RETENTION_DAYS = 90


class Vaults(ResourceType):
    """Creates vaults, and keeps deleted ones until they are purged.

    Attributes:
        deleted: deleted vaults by name in lower case; the names stay reserved.
    """

    created_status = 200
    state = ""

    def __init__(self, store: ResourceStore, changed: Changed) -> None:
        super().__init__(VAULTS, store)
        self._changed = changed
        self.deleted: dict[str, Resource] = {}

    def changed(self, resource: Resource) -> None:
        """Let the vault's own server know."""
        self._changed(resource)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """A name is unique in all of Azure; purge protection cannot be switched off again."""
        sent = body.get("properties") or {}
        if not sent.get("tenantId") or not sent.get("sku"):
            raise bad_request(
                "BadRequest", "The parameters 'tenantId' and 'sku' of a vault are required."
            )
        known = {} if existing is None else existing.properties
        if existing is None:
            self._check_name(request.id.name)
        if known.get("enablePurgeProtection") and sent.get("enablePurgeProtection") is False:
            raise bad_request(
                "BadRequest",
                'The property "enablePurgeProtection" cannot be set to false. Enabling the purge '
                "protection for a vault is an irreversible action.",
            )
        properties = {
            "enabledForDeployment": False,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": RETENTION_DAYS,
            "enableRbacAuthorization": False,
            "accessPolicies": [],
            "publicNetworkAccess": "Enabled",
            **{name: value for name, value in sent.items() if value is not None},
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
            raise conflict(
                "ConflictError",
                f"A vault with the same name already exists in deleted state. You need to either "
                f"recover or purge existing key vault '{name}'. Follow this link "
                "https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft "
                "delete.",
            )

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
        return listed([self._deleted_answer(each, request) for each in self.deleted.values()])

    def get_deleted(self, request: ArmRequest) -> ArmReply:
        """`locations/LOCATION/deletedVaults/NAME`."""
        return ArmReply(self._deleted_answer(self._deleted(request.id.name), request))

    def purge(self, request: ArmRequest) -> ArmReply:
        """`locations/LOCATION/deletedVaults/NAME/purge`."""
        found = self._deleted(request.id.parent.name)
        if found.properties.get("enablePurgeProtection"):
            raise bad_request(
                "MethodNotAllowed",
                f"Operation 'DeletedVaultPurge' is not allowed because purge protection is enabled "
                f"on the vault '{found.name}'.",
            )
        del self.deleted[found.name.lower()]
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
            raise ArmError(
                404,
                "DeletedVaultNotFound",
                f"The specified deleted vault '{name}' does not exist.",
            )
        return found

    @staticmethod
    def _deleted_answer(vault: Resource, request: ArmRequest) -> JsonObject:
        properties = vault.hidden["deleted"]
        scope = f"/subscriptions/{request.id.subscription_id}/providers/Microsoft.KeyVault"
        return {
            "id": f"{scope}/locations/{properties['location']}/deletedVaults/{vault.name}",
            "name": vault.name,
            "type": DELETED_VAULTS,
            "properties": properties,
        }
