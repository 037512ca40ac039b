"""StorageAccounts: storage accounts as resources."""

import base64
import re
import secrets

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request, conflict
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType

STORAGE_ACCOUNTS = "Microsoft.Storage/storageAccounts"
NAME = re.compile(r"^[a-z0-9]{3,24}$")
SERVICES = ("dfs", "web", "blob", "queue", "table", "file")
KEYS = "keys"


class StorageAccounts(ResourceType):
    """Creates storage accounts, with endpoints and keys."""

    created_status = 200

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(STORAGE_ACCOUNTS, store)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """A name is unique in all of Azure."""
        name = request.id.name
        if existing is None:
            self._check_name(name)
        known = {} if existing is None else existing.properties
        sent = body.get("properties") or {}
        endpoints = {each: f"https://{name}.{each}.core.windows.net/" for each in SERVICES}
        properties = {
            **known,
            **{name: value for name, value in sent.items() if value is not None},
            "primaryEndpoints": endpoints,
            "primaryLocation": body["location"],
            "provisioningState": "Succeeded",
            "statusOfPrimary": "available",
        }
        properties.setdefault("encryption", {"keySource": "Microsoft.Storage"})
        properties.setdefault(
            "networkAcls",
            {
                "bypass": "AzureServices",
                "defaultAction": "Allow",
                "ipRules": [],
                "virtualNetworkRules": [],
            },
        )
        return body | {"properties": properties}

    def changed(self, resource: Resource) -> None:
        """Every account has a default blob, queue, table and file service."""
        if resource.id not in self.store:
            return
        for service in ("blob", "queue", "table", "file"):
            service_id = f"{resource.id}/{service}Services/default"
            if service_id not in self.store:
                made = Resource(service_id, f"{self.name}/{service}Services", {"properties": {}})
                self.store.add(made)

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """`listKeys`."""
        if action != "listkeys":
            return super().act(request, action)
        account = self.existing(request.id.parent)
        keys = account.hidden.setdefault(KEYS, [_key(), _key()])
        listed = [
            {"keyName": f"key{number}", "value": key, "permissions": "FULL"}
            for number, key in enumerate(keys, 1)
        ]
        return ArmReply({"keys": listed})

    def check_name(self, request: ArmRequest) -> ArmReply:
        """`checkNameAvailability`."""
        name = str(request.body.get("name") or "")
        if self._is_used(name):
            message = f"The storage account named {name} is already taken."
            answer = {"nameAvailable": False, "reason": "AlreadyExists", "message": message}
            return ArmReply(answer)
        if not NAME.match(name):
            refused = {"nameAvailable": False, "reason": "AccountNameInvalid"}
            return ArmReply({**refused, "message": str(_invalid_name(name))})
        return ArmReply({"nameAvailable": True})

    def _is_used(self, name: str) -> bool:
        return any(each.name == name for each in self.store.of_type(STORAGE_ACCOUNTS))

    def _check_name(self, name: str) -> None:
        if not NAME.match(name):
            raise _invalid_name(name)
        if self._is_used(name):
            raise conflict(
                "StorageAccountAlreadyTaken",
                f"The storage account named {name} is already taken.",
            )


def _invalid_name(name: str) -> ArmError:
    return bad_request(
        "AccountNameInvalid",
        f"{name} is not a valid storage account name. Storage account name must be between 3 and "
        "24 characters in length and use numbers and lower-case letters only.",
    )


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()
